import { X509Certificate } from 'node:crypto'
import { systemClock, systemRandom } from '../src/base/index.ts'
import { newTlsKey, selfSigned } from '../src/pki/index.ts'
import { type EmulatedRouter, startRouter } from '../src/simulator/index.ts'
import type { HostCall, HostedRouter } from './hosted-routers.ts'

// Emulated MikroTik routers in a process of their own, which the bench asks to hear a client at another level, and for
// the sentences that a router was sent. `!empty`, which is new in RouterOS 7.18, is more than node-routeros can read.
const PROFILE = 'v7.16'
const DAY_MS = 86_400_000

const user = { name: 'bench', password: 'bench', group: ['api', 'read', 'write', 'test', 'reboot'] }
const key = newTlsKey()
const now = systemClock.now()
const serial = Uint8Array.from([1, ...systemRandom.bytes(8)])
const dates = { notBefore: now - DAY_MS, notAfter: now + DAY_MS }
const cert = selfSigned({ key, commonName: 'RouterOS', names: ['127.0.0.1'], serial, ...dates })
const fingerprint = new X509Certificate(cert).fingerprint256
const routers: EmulatedRouter[] = []
for (let index = 0; index < Number(process.argv[2]); index++)
  routers.push(await startRouter({ profile: PROFILE, index, users: [user], tls: { cert, key } }))
const hosted = routers.map(
  (router): HostedRouter => ({
    serial: router.serial,
    port: router.tlsPort,
    username: user.name,
    password: user.password,
    fingerprint,
    client: router.store.table(router.clientTable)[0]?.values['mac-address'] ?? '',
  }),
)

process.on('message', ({ index, signal, record }: HostCall) => {
  const router = routers[index]
  if (router === undefined) return
  if (signal !== undefined) {
    router.setSignal(hosted[index]?.client ?? '', signal)
    process.send?.({ at: Date.now() })
  } else if (record === true) {
    const sentences: string[][] = []
    router.state.onSentence = (words) => sentences.push(words.filter((word) => !word.startsWith('.tag=')))
    recorded.set(index, sentences)
    process.send?.({ at: Date.now() })
  } else {
    router.state.onSentence = () => undefined
    process.send?.({ sentences: recorded.get(index) ?? [] })
  }
})
const recorded = new Map<number, string[][]>()
process.on('disconnect', () => process.exit(0))
process.send?.({ routers: hosted, cert })
