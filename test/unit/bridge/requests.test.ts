import { expect, it } from 'vitest'
import { BridgeRouter } from '../../support/bridge-router.ts'
import { payloadsSendOnlyListedWords } from '../../support/hostile-payloads.ts'
import { requestsOverASocket, requestsSendOnlyListedWords } from '../../support/hostile-requests.ts'

it('10,000 random requests by TR-181 send listed words alone: callers give values, and secrets are shown nowhere', async () => {
  const { commands, writes } = await requestsSendOnlyListedWords(10_000)
  expect(commands).toBeGreaterThan(1000)
  expect(writes).toBeGreaterThan(200)
}, 300_000)

it('10,000 random payloads of MQTT send listed words alone, and no secret is published or logged', async () => {
  const { commands, writes } = await payloadsSendOnlyListedWords(10_000)
  expect(commands).toBeGreaterThan(1000)
  expect(writes).toBeGreaterThan(200)
}, 300_000)

it.each(['v6.49', 'chr'] as const)(
  '%s: so do random requests over the socket of an emulated router',
  async (profile) => {
    const bridge = await BridgeRouter.start({ profile })
    try {
      expect((await requestsOverASocket(bridge, 300)).commands).toBeGreaterThan(100)
    } finally {
      await bridge.stop()
    }
  },
  120_000,
)
