// Made from packages/client/src by its bundle test. Do not edit.
/* oxlint-disable */
// packages/client/src/protocol.ts
/** A browser cannot set headers on an upgrade, so the token travels as a subprotocol; the server answers only the first. */
const subprotocols = (token) => ["perks.v1", `perks.auth.${token}`];
/** Frames of a later version are returned too (the machine ignores what it does not know); undefined is no frame at all. */
function parseFrame(data) {
	if (typeof data !== "string") return void 0;
	try {
		const frame = JSON.parse(data);
		return typeof frame === "object" && frame !== null && "t" in frame ? frame : void 0;
	} catch {
		return;
	}
}
/** Whether cursor `a` lies after `b` (undefined: before everything). A customer's cursors are all of one partition. */
function isAfter(a, b) {
	return b === void 0 || offsetOf(a) > offsetOf(b);
}
const offsetOf = (cursor) => Number(cursor.slice(cursor.indexOf(":") + 1));
const closeCode = {
	normal: 1e3,
	abnormal: 1006,
	badFrame: 4e3,
	token: 4001,
	disconnected: 4002,
	origin: 4003,
	tooManyDevices: 4009
};
/** Codes after which a client must not come back by itself. All others (1006, 1012, 1013, 4008, 4009, 4013, …) are retried. */
const finalReasons = {
	[closeCode.badFrame]: "bad_frame",
	[closeCode.token]: "token",
	[closeCode.disconnected]: "disconnected",
	[closeCode.origin]: "origin"
};

// packages/client/src/machine.ts
/** Bounds of everything that waits or grows, in ms unless named otherwise. */
const limits = {
	firstRetryMs: 500,
	maxRetryMs: 3e4,
	/** Only a connection that held this long starts the backoff anew, so a server that drops everybody at once is spared. */
	stableAfterMs: 1e4,
	/** For a token, for socket and welcome together, and for the answer to an auth frame. */
	deadlineMs: 3e4,
	/** The server gives up a socket that has said no hello for so long. */
	helloMs: 5e3,
	/** Hellos in a row that seem to have been lost before the cursor is doubted all the same. */
	lostHellos: 3,
	/** The longest that a token may live. */
	tokenLifeMs: 9e5,
	/** A token is renewed this long before its expiry, or after four fifths of a shorter life. */
	refreshBeforeMs: 6e4,
	minRefreshMs: 1e3,
	/** The server closes above 10 frames a second; acks in between are merged into the newest. */
	ackEveryMs: 250,
	rememberedIds: 256
};
/** @param random uniform in [0, 1), for the jitter of retries */
function createMachine(device, random) {
	let phase = "idle";
	let state = { status: "connecting" };
	let token;
	let owner;
	let attempt = 0;
	let refreshAttempt = 0;
	let refused = false;
	let bye;
	let cursor;
	let wantedAck;
	let sentAck;
	let ackPaused = false;
	let askedAt = 0;
	let lostHellos = 0;
	const ids = /* @__PURE__ */ new Set();
	let out = [];
	const say = (next) => {
		state = next;
		out.push({
			do: "state",
			state
		});
	};
	const timer = (name, ms) => void out.push({
		do: "timer",
		name,
		ms
	});
	const jitter = (n) => Math.round(random() * Math.min(limits.maxRetryMs, limits.firstRetryMs * 2 ** n));
	function finish(reason) {
		phase = "closed";
		out.push({ do: "cancelTimers" }, { do: "drop" });
		say({
			status: "closed",
			reason
		});
	}
	function begin(now) {
		out.push({ do: "cancelTimers" });
		if (state.status !== "connecting" || phase === "idle") say({ status: "connecting" });
		if (token?.expiresAt !== void 0 && token.expiresAt - now > limits.refreshBeforeMs) return open(token.text, now);
		phase = "token";
		out.push({ do: "fetchToken" });
		timer("deadline", limits.deadlineMs);
	}
	function open(text, now) {
		phase = "opening";
		askedAt = now;
		out.push({
			do: "open",
			token: text
		});
		timer("deadline", limits.deadlineMs);
	}
	function wait(code, retryInMs) {
		phase = "waiting";
		bye = void 0;
		attempt++;
		out.push({ do: "cancelTimers" }, { do: "drop" });
		timer("retry", retryInMs);
		say({
			status: "waiting",
			code,
			retryInMs
		});
	}
	function gotToken(input, now) {
		if (owner !== void 0 && owner !== input.owner) return finish("other_customer");
		if (owner === void 0) cursor = input.cursor;
		owner = input.owner;
		token = {
			text: input.token,
			owner,
			expiresAt: input.expiresAt
		};
		if (phase === "token") return open(token.text, now);
		if (phase !== "online") return;
		out.push({
			do: "send",
			frame: {
				t: "auth",
				token: token.text
			}
		});
		timer("deadline", limits.deadlineMs);
	}
	function noToken() {
		if (phase === "token") wait(closeCode.abnormal, jitter(attempt));
		else if (phase === "online") timer("refresh", Math.max(limits.minRefreshMs, jitter(refreshAttempt++)));
	}
	function scheduleRefresh(expiresAt, now) {
		refreshAttempt = 0;
		const left = Math.min(Date.parse(expiresAt) - now, limits.tokenLifeMs);
		timer("deadline", null);
		if (!(left > 0)) return timer("refresh", null);
		timer("refresh", Math.max(limits.minRefreshMs, left - Math.min(limits.refreshBeforeMs, left / 5)));
	}
	function lost(code, now) {
		if (phase === "greeting" && code !== closeCode.token && code !== closeCode.abnormal) refused = false;
		if (code === closeCode.token && !refused) {
			refused = true;
			token = void 0;
			out.push({ do: "drop" });
			attempt++;
			return begin(now);
		}
		if (code === closeCode.badFrame && phase === "greeting" && now - askedAt >= limits.helloMs && (cursor === void 0 || ++lostHellos < limits.lostHellos)) return wait(code, jitter(attempt));
		if (code === closeCode.badFrame && phase === "greeting" && cursor !== void 0) {
			cursor = wantedAck = sentAck = void 0;
			lostHellos = 0;
			out.push({
				do: "store",
				cursor: null
			});
			return wait(code, jitter(attempt));
		}
		const reason = finalReasons[code];
		if (reason !== void 0) return finish(reason);
		if (bye !== void 0) return wait(code, Math.round(bye[0] + random() * Math.max(0, bye[1] - bye[0])));
		if (code === closeCode.tooManyDevices) return wait(code, limits.maxRetryMs / 2 + jitter(Infinity) / 2);
		wait(code, jitter(attempt));
	}
	function advance(next) {
		if (!isAfter(next, cursor)) return;
		cursor = next;
		out.push({
			do: "store",
			cursor
		});
	}
	function welcomed(frame, now) {
		phase = "online";
		refused = false;
		lostHellos = 0;
		ackPaused = false;
		wantedAck ??= sentAck;
		advance(frame.cursor);
		say({
			status: "online",
			session: frame.session,
			resumed: frame.resumed
		});
		timer("stable", limits.stableAfterMs);
		scheduleRefresh(frame.expiresAt, now);
		flushAck();
	}
	function noted(note) {
		if (!isAfter(note.cursor, cursor)) return;
		if (!ids.has(note.id)) {
			ids.add(note.id);
			for (const oldest of ids) {
				if (ids.size <= limits.rememberedIds) break;
				ids.delete(oldest);
			}
			out.push({
				do: "deliver",
				note
			});
		}
		advance(note.cursor);
	}
	function gotFrame(frame, now) {
		if (frame.t === "welcome") {
			if (phase === "greeting") welcomed(frame, now);
		} else if (frame.t === "bye") bye = frame.retryMs;
		else if (phase === "online") {
			if (frame.t === "note") {
				const { t: _, ...note } = frame;
				noted(note);
			} else if (frame.t === "read") out.push({
				do: "read",
				cursor: frame.cursor
			});
			else if (frame.t === "auth") scheduleRefresh(frame.expiresAt, now);
		}
	}
	function flushAck() {
		if (phase !== "online" || ackPaused || wantedAck === void 0) return;
		out.push({
			do: "send",
			frame: {
				t: "ack",
				cursor: wantedAck
			}
		});
		sentAck = wantedAck;
		wantedAck = void 0;
		ackPaused = true;
		timer("ack", limits.ackEveryMs);
	}
	function ack(upTo) {
		if (upTo === void 0 || !isAfter(upTo, wantedAck ?? sentAck)) return;
		wantedAck = upTo;
		flushAck();
	}
	function rang(name, now) {
		if (name === "retry" && phase === "waiting") begin(now);
		else if (name === "stable") attempt = 0;
		else if (name === "refresh" && phase === "online") out.push({ do: "fetchToken" });
		else if (name === "deadline") lost(closeCode.abnormal, now);
		else if (name === "ack") {
			ackPaused = false;
			flushAck();
		}
	}
	function step(input, now) {
		if (input.type === "start" || input.type === "wake") {
			if (phase === (input.type === "start" ? "idle" : "waiting")) begin(now);
		} else if (input.type === "token") gotToken(input, now);
		else if (input.type === "tokenFailed") noToken();
		else if (input.type === "opened") {
			phase = "greeting";
			out.push({
				do: "send",
				frame: cursor === void 0 ? {
					t: "hello",
					device
				} : {
					t: "hello",
					device,
					cursor
				}
			});
		} else if (input.type === "frame") gotFrame(input.frame, now);
		else if (input.type === "socketClosed") lost(input.code, now);
		else if (input.type === "timer") rang(input.name, now);
		else if (input.type === "ack") ack(input.cursor ?? cursor);
		else finish("closed");
	}
	return {
		get state() {
			return state;
		},
		handle(input, now) {
			out = [];
			if (phase !== "closed") step(input, now);
			return out;
		}
	};
}

// packages/client/src/storage.ts
function memoryStorage() {
	const cursors = /* @__PURE__ */ new Map();
	return {
		get: (key) => cursors.get(key),
		set: (key, cursor) => void (cursor === null ? cursors.delete(key) : cursors.set(key, cursor))
	};
}
/** The browser's localStorage; memory where there is none or where it is forbidden (private windows throw on access). */
function defaultStorage() {
	try {
		const { document, localStorage } = globalThis;
		if (document === void 0 || localStorage === void 0) return memoryStorage();
		return {
			get: (key) => localStorage.getItem(key),
			set: (key, cursor) => cursor === null ? localStorage.removeItem(key) : localStorage.setItem(key, cursor)
		};
	} catch {
		return memoryStorage();
	}
}

// packages/client/src/token.ts
/** Reads a JWT's payload; throws a TypeError on text that is not a JWT, which would be refused by every server. */
function readClaims(token) {
	const part = token.split(".")[1];
	if (part === void 0) throw new TypeError("The customer token is not a JWT");
	const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
	const claims = JSON.parse(new TextDecoder().decode(bytes));
	return {
		owner: [claims.merchant, claims.sub].map((id) => encodeURIComponent(String(id))).join(":"),
		expiresAt: typeof claims.exp === "number" ? claims.exp * 1e3 : void 0
	};
}

// packages/client/src/connect.ts
/**
* Opens a connection that keeps itself alive: it reconnects with full jitter, goes on at its cursor, renews its token
* and drops repeats. It ends only by close(), or when the server says so for good (state `closed` with the reason).
* A handler that throws does not disturb it: the error is thrown again outside of it, and the note counts as seen.
* Throws a TypeError when the platform has no WebSocket and none is given.
*/
function connect(options) {
	const page = globalThis;
	const Socket = options.WebSocket ?? globalThis.WebSocket;
	if (Socket === void 0) throw new TypeError("No WebSocket here: pass one as options.WebSocket");
	const storage = options.storage ?? defaultStorage();
	const device = options.device ?? (page.document === void 0 ? "node" : "browser");
	const machine = createMachine(device, options.random ?? Math.random);
	const handlers = /* @__PURE__ */ new Map();
	const timers = /* @__PURE__ */ new Map();
	let socket;
	let tokenCall = 0;
	let storageKey;
	let unstored;
	let isStoring = false;
	const inputs = [];
	let busy = false;
	function feed(input) {
		inputs.push(input);
		if (busy) return;
		busy = true;
		try {
			for (let next = inputs.shift(); next !== void 0; next = inputs.shift()) for (const effect of machine.handle(next, Date.now())) perform(effect);
		} finally {
			busy = false;
		}
	}
	function perform(effect) {
		if (effect.do === "fetchToken") fetchToken();
		else if (effect.do === "open") open(effect.token);
		else if (effect.do === "drop") drop();
		else if (effect.do === "send") socket?.send(JSON.stringify(effect.frame));
		else if (effect.do === "timer") setTimer(effect.name, effect.ms);
		else if (effect.do === "cancelTimers") for (const name of timers.keys()) setTimer(name, null);
		else if (effect.do === "deliver") deliver(effect.note);
		else if (effect.do === "store") store(effect.cursor);
		else if (effect.do === "read") call(options.onRead, effect.cursor);
		else if (effect.do === "state") {
			if (effect.state.status === "closed") page.removeEventListener?.("online", wake);
			call(options.onState, effect.state);
		}
	}
	async function fetchToken() {
		const mine = ++tokenCall;
		let input = { type: "tokenFailed" };
		try {
			const token = await options.token();
			const { owner, expiresAt } = readClaims(token);
			storageKey ??= `perkstream:${owner}`;
			input = {
				type: "token",
				token,
				owner,
				expiresAt,
				cursor: await recall(storageKey)
			};
		} catch (error) {
			call(options.onError, error);
		}
		if (mine === tokenCall) feed(input);
	}
	async function recall(key) {
		try {
			return await storage.get(key) ?? void 0;
		} catch (error) {
			call(options.onError, error);
			return;
		}
	}
	async function store(cursor) {
		unstored = cursor;
		if (isStoring || storageKey === void 0) return;
		isStoring = true;
		while (unstored !== void 0) {
			const next = unstored;
			unstored = void 0;
			try {
				const stored = storage.set(storageKey, next);
				if (stored !== void 0) await stored;
			} catch (error) {
				call(options.onError, error);
			}
		}
		isStoring = false;
	}
	function open(token) {
		drop();
		try {
			socket = new Socket(options.url, subprotocols(token));
			listen(socket);
		} catch (error) {
			call(options.onError, error);
			feed({
				type: "socketClosed",
				code: closeCode.abnormal
			});
		}
	}
	function listen(mine) {
		let isOpen = false;
		const on = (type, listener) => mine.addEventListener(type, (event) => {
			if (socket === mine) listener(event);
		});
		const closed = (code) => {
			socket = void 0;
			feed({
				type: "socketClosed",
				code
			});
		};
		on("open", () => {
			isOpen = true;
			feed({ type: "opened" });
		});
		on("message", (event) => {
			const frame = parseFrame(event.data);
			if (frame !== void 0) feed({
				type: "frame",
				frame
			});
		});
		on("close", (event) => closed(event.code ?? closeCode.abnormal));
		on("error", () => {
			if (!isOpen) closed(closeCode.abnormal);
		});
	}
	function drop() {
		const old = socket;
		socket = void 0;
		old?.close(closeCode.normal);
	}
	function setTimer(name, ms) {
		clearTimeout(timers.get(name));
		timers.delete(name);
		if (ms === null) return;
		const timer = setTimeout(() => {
			timers.delete(name);
			feed({
				type: "timer",
				name
			});
		}, ms);
		timers.set(name, timer);
	}
	function deliver(note) {
		call(options.onNote, note);
		for (const handler of handlers.get(note.type) ?? []) call(handler, note);
	}
	function call(handler, argument) {
		try {
			handler?.(argument);
		} catch (error) {
			queueMicrotask(() => {
				throw error;
			});
		}
	}
	const wake = () => feed({ type: "wake" });
	if (page.document !== void 0) page.addEventListener?.("online", wake);
	queueMicrotask(() => feed({ type: "start" }));
	return {
		get state() {
			return machine.state;
		},
		on(type, handler) {
			const set = handlers.get(type) ?? /* @__PURE__ */ new Set();
			handlers.set(type, set.add(handler));
			return () => void set.delete(handler);
		},
		ack: (cursor) => feed({
			type: "ack",
			cursor
		}),
		retryNow: wake,
		close: () => feed({ type: "stop" })
	};
}

export { connect, memoryStorage };