import { createServer } from 'node:http'

// The floor of an Inform session: answers the same bytes as the ACS would, without reading what it was sent.
const informResponse = Buffer.from(process.argv[2] ?? '', 'base64')
const server = createServer((request, response) => {
  const empty = request.headers['content-length'] === '0'
  request.resume()
  request.on('end', () => {
    if (empty) response.writeHead(204).end()
    else
      response
        .writeHead(200, {
          'content-type': 'text/xml; charset="utf-8"',
          'content-length': informResponse.length,
          'set-cookie': 'session=0123456789abcdef0123456789abcdef; Path=/',
        })
        .end(informResponse)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
