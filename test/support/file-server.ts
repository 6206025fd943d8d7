import { createServer, type Server } from 'node:http'

/** A server with files for devices to fetch, on a free port of this machine. */
export interface FileServer {
  url(name: string): string
  /** Names of the files that were asked for, in order, with the credentials that came with it. */
  readonly asked: { name: string; authorization: string | undefined }[]
  stop(): Promise<void>
}

/** Serves the given files; everything else is 404. With `challenge` a file comes only when credentials are sent. */
export async function startFileServer(
  files: Record<string, Uint8Array>,
  options: { challenge?: string } = {},
): Promise<FileServer> {
  const asked: FileServer['asked'] = []
  const server: Server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1)
    const { authorization } = request.headers
    asked.push({ name, authorization })
    if (options.challenge !== undefined && authorization === undefined)
      return void response.writeHead(401, { 'www-authenticate': options.challenge }).end('log in')
    const file = files[name]
    if (file === undefined) return void response.writeHead(404).end('no such file')
    response.writeHead(200, { 'content-length': file.length }).end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
