import { AppError, defined } from '../base/index.ts'

/** The demo talks to the server as any program would: through the REST API with a key. */
export interface ApiClient {
  get<T>(path: string): Promise<T>
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>
}

export function createApiClient(baseUrl: string, apiKey: string): ApiClient {
  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = {
      method,
      headers: defined({
        authorization: `Bearer ${apiKey}`,
        'content-type': body === undefined ? undefined : 'application/json',
      }),
      signal: AbortSignal.timeout(30_000),
    }
    if (body !== undefined) init.body = JSON.stringify(body)
    const response = await fetch(baseUrl + path, init)
    const text = await response.text()
    if (!response.ok) throw new AppError('internal', `${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
    // The caller names the shape that the API's own schemas promise.
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
  return {
    get: (path) => call('GET', path),
    send: (method, path, body) => call(method, path, body),
  }
}
