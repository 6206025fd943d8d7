import { join } from 'node:path'
import { expect, it } from 'vitest'
import { routerModelPage } from '../../../support/router-model-page.ts'

it('docs/mikrotik-model.md lists the parameters of the mapping', async () => {
  const page = join(import.meta.dirname, '../../../../docs/mikrotik-model.md')
  await expect(routerModelPage()).toMatchFileSnapshot(page)
})
