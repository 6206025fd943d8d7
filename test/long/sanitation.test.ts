import { expect, it } from 'vitest'
import { payloadsSendOnlyListedWords } from '../support/hostile-payloads.ts'
import { requestsSendOnlyListedWords } from '../support/hostile-requests.ts'
import { guardLetsOnlyListedWordsPass } from '../support/sanitation.ts'

it('of 1,000,000 random commands only those reach the router whose words are all on the list', async () => {
  expect(await guardLetsOnlyListedWordsPass(1_000_000)).toBeGreaterThan(10_000)
})

it('1,000,000 random requests by TR-181 send listed words alone', async () => {
  const { commands, writes } = await requestsSendOnlyListedWords(1_000_000)
  expect(commands).toBeGreaterThan(100_000)
  expect(writes).toBeGreaterThan(20_000)
}, 14_400_000)

it('1,000,000 random payloads of MQTT send listed words alone', async () => {
  const { commands, writes } = await payloadsSendOnlyListedWords(1_000_000)
  expect(commands).toBeGreaterThan(100_000)
  expect(writes).toBeGreaterThan(20_000)
}, 14_400_000)
