import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { CpeLoad } from '../cpe-load.ts'
import { figure, printRow } from '../print.ts'
import type { Reach } from '../reach.ts'
import type { World } from '../world.ts'
import { hostileLink } from './hostile-link.ts'

const MIB = 1_048_576
/** The longest delay of the event loop of the server, whatever arrives. */
const LIMIT_MS = 50
const SENDERS = 4

const filled = (piece: string, size: number, before = '', after = '') =>
  before + piece.repeat(Math.floor((size - before.length - after.length) / piece.length)) + after

const shapes = (size: number): [string, string][] => [
  ['bare ampersands', filled('&', size, '<r>', '</r>')],
  ['cut references', filled('&#1', size, '<r>', '</r>')],
  ['attributes', `<r ${Array.from({ length: size / 16 }, (_, i) => `a${i}="1"`).join(' ')}/>`],
  ['namespaces', `<r ${Array.from({ length: size / 24 }, (_, i) => `xmlns:a${i}="urn:x"`).join(' ')}/>`],
  ['elements', filled('<a/>', size, '<r>', '</r>')],
  ['comments', filled('<!---->', size, '<r>', '</r>')],
  ['one text', filled('x', size, '<r>', '</r>')],
  [
    'parameters',
    filled(
      '<P><Name>Device.A.B</Name><Value>1</Value></P>',
      size,
      '<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-2"><E:Body><c:GetParameterValuesResponse><ParameterList>',
      '</ParameterList></c:GetParameterValuesResponse></E:Body></E:Envelope>',
    ),
  ],
]

/**
 * Measures the delay of the event loop, and the waits of others, while hostile bodies arrive: from strangers, and from
 * devices in their sessions.
 */
export async function hostileRow(world: World): Promise<Reach[]> {
  const reaches: Reach[] = []
  const lines: [string, string, string?][] = []
  const good = new CpeLoad(world.cwmpPort, 'GOOD', world.enrolmentSecret, 1)
  await good.session('0 BOOTSTRAP')
  const judge = async (name: string, attack: () => Promise<unknown>) => {
    await world.loopDelay()
    const waits: number[] = []
    let isOver = false
    const others = (async () => {
      while (!isOver) {
        const begin = performance.now()
        await good.session()
        waits.push(performance.now() - begin)
      }
    })()
    await attack()
    isOver = true
    await others
    const delayMs = (await world.loopDelay()) * 1000
    const longest = figure(Math.max(...waits), 'ms', 0)
    lines.push([name, figure(delayMs, 'ms', 1), `longest session of another device ${longest}`])
    reaches.push({
      name: `event loop while hostile bodies come: ${name}`,
      value: delayMs,
      unit: 'ms',
      digits: 1,
      limit: LIMIT_MS,
      better: 'less',
    })
  }
  await judge('nothing', () => new Promise((resolve) => setTimeout(resolve, 2000)))
  const packed = gzipSync(Buffer.alloc(MIB - 1, '&'))
  await judge('strangers, packed ampersands', () =>
    Promise.all(
      Array.from({ length: SENDERS }, async () => {
        for (let i = 0; i < 50; i++) await stranger(world.cwmpPort, packed)
      }),
    ),
  )
  let serial = 0
  for (const [shape, body] of [...shapes(256 * 1024).slice(0, 3), ...shapes(16 * MIB - 4096)])
    await judge(`devices, ${SENDERS} x ${figure(body.length / MIB, 'MiB', 1)} of ${shape}`, () =>
      Promise.all(
        Array.from({ length: SENDERS }, async () => {
          const device = new CpeLoad(world.cwmpPort, `BAD${serial++}`, world.enrolmentSecret, 1)
          await device.afterInform(body)
          device.close()
        }),
      ),
    )
  for (const size of [MIB - 4096, 16 * MIB - 4096])
    await judge(`unknown Agents, ${SENDERS} x ${figure(size / MIB, 'MiB', 1)} of empty fields`, () =>
      Promise.all(Array.from({ length: SENDERS }, () => hostileLink(world, `proto::bad${serial++}`, size))),
    )
  good.close()
  printRow('Delay of the event loop while hostile bodies come', lines)
  return reaches
}

/** A request with a login that is made up. */
function stranger(port: number, body: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const headers = { authorization: 'Basic eDp5', 'content-encoding': 'gzip', 'content-length': body.length }
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false }, (incoming) => {
      incoming.resume()
      incoming.on('close', resolve)
    })
    outgoing.on('error', () => resolve())
    outgoing.end(body)
  })
}
