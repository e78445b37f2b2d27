// The REST interface. A refused request becomes a `Refused` with the problem's own code and words.

const SILENT_MS = 60_000;

export class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || `The platform answered with status ${status}.`);
    this.status = status;
    this.code = problem.code || "unknown";
    this.detail = this.message;
    this.retryAfter = retryAfter;
  }
}

export class Away extends Error {
  constructor(words = "The platform cannot be reached. Check your connection.") {
    super(words);
    this.code = "away";
    this.detail = this.message;
  }
}

export async function call(method, path, { body, token, key } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Away();
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Refused(answer.status, await answer.json().catch(() => ({})), Number(answer.headers.get("Retry-After")) || 0);
}

// fetch tells nothing of an upload's progress, XMLHttpRequest does. `signal` gives it up, and so does a silence: a large
// file may take its time on a slow line, but something of it moves. `replaces`: the document whose new version it is.
export function upload(file, { token, key, replaces, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        reject(new Away("The platform has not answered for a minute. Check your connection, then try again."));
        request.abort();
      }, SILENT_MS);
    };
    signal.addEventListener("abort", () => request.abort());
    request.open(...(replaces ? ["PUT", `/api/documents/${replaces.id}`] : ["POST", "/api/documents"]));
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      heard();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Refused(request.status, request.response || {}, Number(request.getResponseHeader("Retry-After")) || 0));
    };
    request.onerror = request.onabort = () => reject(new Away());
    request.onloadend = () => clearTimeout(silence);
    const form = new FormData();
    form.append("file", file);
    heard();
    request.send(form);
  });
}
