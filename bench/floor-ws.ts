import { Codec } from '../src/usp/index.ts'
import { WebSocketServer } from '../src/usp/mtp/websocket/ws.ts'

// The floor of a Notify: takes Record and Message apart, answers NotifyResp, keeps nothing.
const codec = new Codec()
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
server.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    const record = codec.decodeRecord(data)
    if (record.body.kind !== 'noSession') return
    const msg = codec.decodeMsg(record.body.payload)
    if (msg.kind !== 'request' || msg.name !== 'notify') return
    const { subscription_id } = msg.body
    const answer = { msgId: msg.msgId, kind: 'response', name: 'notify_resp', body: { subscription_id } } as const
    socket.send(codec.encode(record.fromId, record.toId, answer))
  })
})
server.on('listening', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
