import { expect, it } from 'vitest'
import { guardLetsOnlyListedWordsPass } from '../support/sanitation.ts'

it('of 1,000,000 random commands only those reach the router whose words are all on the list', async () => {
  expect(await guardLetsOnlyListedWordsPass(1_000_000)).toBeGreaterThan(10_000)
})
