import { createServer } from 'node:http'

// The floor of a session over a new connection: 401, the answer to the Inform, 204, without reading what was sent.
const informResponse = process.argv[2] ?? ''
const body = Buffer.from(informResponse, 'base64').toString()
const CHALLENGE = 'Digest realm="floor", qop="auth", algorithm=MD5, nonce="0123456789abcdef0123456789abcdef"'
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (request.headers['content-length'] === '0') response.writeHead(204).end()
    else if (request.headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': CHALLENGE, 'content-length': 0 }).end()
    else
      response
        .writeHead(200, {
          'content-type': 'text/xml; charset="utf-8"',
          'content-length': Buffer.byteLength(body),
          'set-cookie': 'session=0123456789abcdef0123456789abcdef; Path=/',
        })
        .end(body)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
