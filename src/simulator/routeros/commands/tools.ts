import { isIP } from 'node:net'
import { partOf, readDuration } from '../basis/text.ts'
import { invalidValue, missing, noMatch, outOfRange, Trap, unknownParameter } from '../basis/trap.ts'
import { isFrom } from '../menus/life.ts'
import type { Call, Command } from './command.ts'

const PING_ARGS = new Set([
  'address',
  'count',
  'size',
  'interval',
  'src-address',
  'interface',
  'ttl',
  'dscp',
  'arp-ping',
  'do-not-fragment',
  'duration',
  'once',
])
const TRACE_ARGS = new Set([
  'address',
  'count',
  'max-hops',
  'timeout',
  'size',
  'protocol',
  'use-dns',
  'interface',
  'src-address',
  'port',
  'dscp',
  'duration',
  'once',
])
const MAX_COUNT = 100_000
const HOPS = 4

/** `/ping` and commands below `/tool`. Addresses of 192.0.2.0/24 never answer, names below `.invalid` do not resolve. */
export const TOOL_COMMANDS: Readonly<Record<string, Command>> = {
  '/ping': { needs: ['test'], run: ping },
  '/tool/ping': { needs: ['test'], run: ping },
  '/tool/traceroute': { needs: ['test'], run: traceroute },
}

/** Returns the address that is meant. */
function target({ router, request }: Call, known: ReadonlySet<string>): string {
  const own = isFrom(router.version, 7) ? 'vrf' : 'routing-table'
  for (const name of request.args.keys()) if (!known.has(name) && name !== own) throw unknownParameter(name)
  const named = request.args.get('interface')
  if (named !== undefined && router.store.find('interface', 'name', named) === undefined) throw noMatch('interface')
  const address = request.args.get('address')
  if (address === undefined) throw missing('address')
  if (isIP(address) !== 0) return address
  if (!/^[A-Za-z0-9.-]+$/.test(address)) throw invalidValue('address')
  const fixed = router.store.find('/ip/dns/static', 'name', address)?.values.address
  if (fixed !== undefined) return fixed
  if (!address.includes('.') || address.endsWith('.invalid')) throw new Trap('failure: dns name does not exist', 4)
  return `203.0.113.${Math.floor(partOf(address) * 250) + 1}`
}

function number({ request }: Call, name: string, fallback: number, min: number, max: number): number {
  const text = request.args.get(name)
  if (text === undefined) return fallback
  if (!/^\d{1,9}$/.test(text)) throw invalidValue(name)
  if (Number(text) < min || Number(text) > max) throw outOfRange(name, min, max)
  return Number(text)
}

function ping(call: Call): void {
  const { router, request, reply } = call
  const host = target(call, PING_ARGS)
  const count = number(call, 'count', MAX_COUNT, 1, MAX_COUNT)
  const size = number(call, 'size', 56, 14, 65_535)
  const ttl = number(call, 'ttl', 64, 1, 255) - 9
  const intervalMs = (readDuration(request.args.get('interval') ?? '1s') ?? 1) * 1000
  const times: number[] = []
  let sent = 0
  let stop = () => {}
  const next = () => {
    const time = answersTo(host) ? roundTrip(host, sent, router.now) : undefined
    if (time !== undefined) times.push(time)
    sent++
    const counts = {
      sent: String(sent),
      received: String(times.length),
      'packet-loss': String(Math.round(((sent - times.length) * 100) / sent)),
      ...(times.length === 0
        ? {}
        : {
            'min-rtt': rtt(Math.min(...times)),
            'avg-rtt': rtt(times.reduce((sum, one) => sum + one, 0) / times.length),
            'max-rtt': rtt(Math.max(...times)),
          }),
    }
    const answer =
      time === undefined ? { status: 'timeout' } : { size: String(size), ttl: String(ttl), time: rtt(time) }
    reply.row({ '.section': String(sent - 1), seq: String(sent - 1), host, ...answer, ...counts })
    if (sent >= count) return reply.done()
    stop = router.clock.after(Math.max(intervalMs, 10), next)
  }
  reply.onCancel(() => stop())
  next()
}

/** Each section has all hops that are found so far. */
function traceroute(call: Call): void {
  const { router, reply } = call
  const host = target(call, TRACE_ARGS)
  number(call, 'count', 1, 1, MAX_COUNT)
  const hops = Math.min(number(call, 'max-hops', 30, 1, 255), HOPS)
  let section = 0
  let stop = () => {}
  const next = () => {
    for (let hop = 0; hop <= section; hop++) {
      const isEnd = hop === HOPS - 1
      const isSilent = isEnd && !answersTo(host)
      const time = roundTrip(`${host}${hop}`, hop, router.now)
      reply.row({
        '.section': String(section),
        address: isSilent ? '' : isEnd ? host : `10.255.${hop}.1`,
        loss: isSilent ? '100' : '0',
        sent: '1',
        ...(isSilent
          ? { last: 'timeout', status: '' }
          : {
              last: (time / 1000).toFixed(1),
              avg: (time / 1000).toFixed(1),
              best: (time / 1000).toFixed(1),
              worst: (time / 1000).toFixed(1),
              'std-dev': '0',
              status: '',
            }),
      })
    }
    if (++section >= hops) return reply.done()
    stop = router.clock.after(200, next)
  }
  reply.onCancel(() => stop())
  next()
}

function answersTo(host: string): boolean {
  return !host.startsWith('192.0.2.')
}

/** Microseconds to a host and back. */
function roundTrip(host: string, turn: number, now: number): number {
  return Math.round(3000 + partOf(host) * 24_000 + partOf(`${host}${turn}${now}`) * 2500)
}

/** Returns a time as `12ms453us`. */
function rtt(us: number): string {
  const whole = Math.floor(us / 1000)
  const rest = Math.round(us - whole * 1000)
  return `${whole > 0 ? `${whole}ms` : ''}${rest > 0 || whole === 0 ? `${rest}us` : ''}`
}
