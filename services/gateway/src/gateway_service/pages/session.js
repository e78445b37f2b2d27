// Who is signed in. The access token lives in memory only; the refresh token survives a reload of this tab, no more.

import { call, Refused } from "./api.js";

const KEPT = "lumora.refresh";
const EARLY_S = 60;

export class Session {
  constructor() {
    this.user = null;
    this.onEnd = () => {};
    this.access = null;
    this.goodUntil = 0;
    this.renewing = null;
  }

  get isKept() { return sessionStorage.getItem(KEPT) !== null; }

  async signIn(email, password) {
    this.take(await call("POST", "/api/auth/login", { body: { email, password } }));
  }

  async register(fields) {
    this.take(await call("POST", "/api/auth/register", { body: fields, key: crypto.randomUUID() }));
  }

  async signOut() {
    const refresh = sessionStorage.getItem(KEPT);
    this.forget();
    if (refresh) await call("POST", "/api/auth/logout", { body: { refresh_token: refresh } }).catch(() => {});
  }

  // A good access token; renewed a minute before it ends. Whoever asks meanwhile waits for the same renewal.
  async token() {
    if (this.access && Date.now() < this.goodUntil) return this.access;
    return this.renew();
  }

  renew() {
    this.renewing ??= this.askAnew().finally(() => { this.renewing = null; });
    return this.renewing;
  }

  async askAnew() {
    const refresh = sessionStorage.getItem(KEPT);
    try {
      if (!refresh) throw new Refused(401, { detail: "Sign in first." }, 0);
      this.take(await call("POST", "/api/auth/refresh", { body: { refresh_token: refresh } }));
    } catch (error) {
      if (error.status === 401) { this.forget(); this.onEnd(); }
      throw error;
    }
    return this.access;
  }

  // An API call as this person; an access token that was refused is renewed once.
  async ask(method, path, options = {}) {
    const token = await this.token();
    try {
      return await call(method, path, { ...options, token });
    } catch (error) {
      if (error.status !== 401) throw error;
      return call(method, path, { ...options, token: await this.renew() });
    }
  }

  take(session) {
    this.user = session.user;
    this.access = session.access_token;
    this.goodUntil = Date.now() + (session.expires_in - EARLY_S) * 1000;
    sessionStorage.setItem(KEPT, session.refresh_token);
  }

  forget() {
    this.user = null;
    this.access = null;
    sessionStorage.removeItem(KEPT);
  }
}
