import { connect, type Note } from "@perkstream/client";

/** A customer who is online, through the client library as an app uses it. */
export interface Device {
  readonly customerId: string;
  /** What the app was told, in its order. */
  readonly notes: readonly Note[];
  /** What the app was told besides: errors, and an end that it did not ask for. */
  readonly complaints: readonly string[];
  readonly isOnline: boolean;
  close(): void;
}

export function openDevice(customerId: string, url: string, token: () => Promise<string>): Device {
  const notes: Note[] = [];
  const complaints: string[] = [];
  let closing = false;
  const connection = connect({
    url,
    token,
    onNote: (note) => notes.push(note),
    onError: (error) => complaints.push(String(error)),
    onState: (state) => {
      if (state.status === "closed" && !closing) complaints.push(`closed: ${state.reason}`);
    },
  });
  return {
    customerId,
    notes,
    complaints,
    get isOnline() {
      return connection.state.status === "online";
    },
    close() {
      closing = true;
      connection.close();
    },
  };
}
