import { expect, it } from 'vitest'
import { createMetrics } from '../../../src/api/index.ts'

it('the metrics have the delay of the event loop, which shows work that blocks the process', async () => {
  const { text } = await createMetrics().render()
  for (const name of ['lag_seconds', 'lag_p99_seconds', 'lag_max_seconds'])
    expect(text).toMatch(new RegExp(`^nodejs_eventloop_${name} \\S+$`, 'm'))
})
