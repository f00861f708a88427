/** Where the cursor lives between connections. Both calls may be asynchronous; a failure costs only the cursor. */
export interface CursorStorage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** null removes the key. */
  set(key: string, cursor: string | null): void | Promise<void>;
}

export function memoryStorage(): CursorStorage {
  const cursors = new Map<string, string>();
  return {
    get: (key) => cursors.get(key),
    set: (key, cursor) => void (cursor === null ? cursors.delete(key) : cursors.set(key, cursor)),
  };
}

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The browser's localStorage; memory where there is none or where it is forbidden (private windows throw on access). */
export function defaultStorage(): CursorStorage {
  try {
    // Node has a localStorage too, in a file of the process's folder: only a page's is wanted here.
    const { document, localStorage } = globalThis as { document?: object; localStorage?: WebStorage };
    if (document === undefined || localStorage === undefined) return memoryStorage();
    return {
      get: (key) => localStorage.getItem(key),
      set: (key, cursor) => (cursor === null ? localStorage.removeItem(key) : localStorage.setItem(key, cursor)),
    };
  } catch {
    return memoryStorage();
  }
}
