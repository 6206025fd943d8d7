import { Codec } from '../../src/usp/index.ts'
import { WebSocket } from '../../src/usp/mtp/websocket/ws.ts'
import type { World } from '../world.ts'

const codec = new Codec()

/**
 * Opens a link of an unknown Agent and sends one GetResp of `size` bytes of empty results, two bytes each. Resolves
 * when the link is closed.
 */
export async function hostileLink(world: World, endpointId: string, size: number): Promise<void> {
  const url = `ws://127.0.0.1:${world.uspPort}/usp?eid=${encodeURIComponent(endpointId)}`
  const socket = new WebSocket(url, 'v1.usp', { perMessageDeflate: false })
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('open', resolve).once('close', resolve))
  const payload = Buffer.concat([HEADER, field(2, field(2, field(1, Buffer.alloc(size - (size % 2), '\n\0'))))])
  const body = { kind: 'noSession', payload } as const
  socket.send(codec.encodeRecord({ toId: world.endpointId, fromId: endpointId, body }))
  // A Message that is not decoded has no answer, and the link may stand.
  setTimeout(() => socket.terminate(), 2000)
  await closed
}

/** A field of bytes, as Protocol Buffers write it. */
function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = []
  for (let left = bytes.length; ; left = Math.floor(left / 128)) {
    length.push((left % 128) | (left > 127 ? 128 : 0))
    if (left <= 127) break
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
}

/** Msg.header with the msg_id `m`. */
const HEADER = field(1, field(1, Buffer.from('m')))
