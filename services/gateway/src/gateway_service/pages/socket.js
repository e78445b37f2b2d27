// The WebSocket: says hello, keeps itself alive, comes back by itself, and asks for what was missed.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const PONG_WITHIN_MS = 10000;
const NOT_AUTHENTICATED = 4401;

export class Socket {
  // `resume` tells which answers are unfinished; `onFrame` gets every frame, `onState` connecting, open or away.
  constructor({ session, resume, onFrame, onState }) {
    Object.assign(this, { session, resume, onFrame, onState });
    this.socket = null;
    this.isOpen = false;
    this.isWanted = false;
    this.wait = FIRST_WAIT_MS;
    this.timers = new Set();
    addEventListener("online", () => this.again(0));
  }

  open() {
    this.isWanted = true;
    this.connect();
  }

  close() {
    this.isWanted = false;
    this.clear();
    this.socket?.close(1000);
    this.socket = null;
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  async connect() {
    this.clear();
    this.onState("connecting");
    let token;
    try {
      token = await this.session.token();
    } catch (error) {
      if (error.status !== 401) this.again();
      return;
    }
    if (!this.isWanted || this.socket) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/chat`, "lumora.v1");
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token, resume: this.resume() }));
    socket.onmessage = (event) => this.heard(JSON.parse(event.data));
    socket.onclose = (event) => { if (this.socket === socket) this.closed(event.code); };
  }

  heard(frame) {
    clearTimeout(this.overdue);
    if (frame.type === "welcome") {
      this.isOpen = true;
      this.wait = FIRST_WAIT_MS;
      this.later(() => this.ping(frame.heartbeat_s * 1000), frame.heartbeat_s * 1000);
      this.onState("open");
    }
    this.onFrame(frame);
  }

  ping(every) {
    if (!this.send({ type: "ping", nonce: String(Date.now()) })) return;
    // Silence means a dead line that nobody told us of.
    this.overdue = setTimeout(() => { const old = this.socket; this.closed(0); old?.close(); }, PONG_WITHIN_MS);
    this.later(() => this.ping(every), every);
  }

  closed(code) {
    this.isOpen = false;
    this.socket = null;
    this.clear();
    if (!this.isWanted) return;
    this.onState("away");
    if (code === NOT_AUTHENTICATED) this.session.renew().then(() => this.again(), () => this.again());
    else this.again();
  }

  again(wait) {
    if (!this.isWanted || this.isOpen || this.socket) return;
    const jittered = this.wait * (0.5 + Math.random());
    if (wait === undefined) this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    this.clear();
    this.later(() => this.connect(), wait ?? jittered);
  }

  later(act, wait) {
    const timer = setTimeout(() => { this.timers.delete(timer); act(); }, wait);
    this.timers.add(timer);
  }

  clear() {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    clearTimeout(this.overdue);
  }
}
