import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { runPage, TinyElement } from '../support/tiny-page.ts'
import { until } from '../support/until.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'))
})
afterAll(() => server.stop())

const IDS = ['about', 'ask', 'tools', 'routes', 'key', 'open', 'filter', 'download']

async function open(hash: string): Promise<Record<string, TinyElement>> {
  const address = `${server.apiUrl}/api/v1/docs/`
  const html = await (await fetch(address)).text()
  for (const id of IDS) expect(html).toContain(`id="${id}"`)
  const script = await (await fetch(`${address}docs.js`)).text()
  return runPage(script, `${address}${hash}`, IDS)
}
const part = (page: Record<string, TinyElement>, id: string) => page[id] ?? new TinyElement('none')
const routesOf = (page: Record<string, TinyElement>) =>
  part(page, 'routes')
    .all('section')
    .flatMap((section) => section.parts.filter((child) => child instanceof TinyElement && child.tag === 'details'))
    .filter((child) => child instanceof TinyElement)

it('the page asks for a key, and says that one is not known', async () => {
  const page = await open('')
  await until(() => part(page, 'about').textContent.startsWith('Give an API key'))
  part(page, 'key').value = 'isthmus_0123456789ab_abcdefghijklmnopqrstuvwx'
  await part(page, 'open').fire('click')
  await until(() => part(page, 'about').textContent === 'This key is not known or was revoked.')
})

it('the page shows every route with its schemas by name, code as code, and a line for curl', async () => {
  const page = await open(`#key=${server.firstKey}`)
  await until(() => part(page, 'routes').all('section').length > 5)
  expect(part(page, 'ask').hidden).toBe(true)
  const routes = routesOf(page)
  expect(routes.length).toBeGreaterThan(40)
  const submit = routes.find((route) => route.dataset.text?.startsWith('post /api/v1/devices/{id}/operations'))
  expect(submit?.textContent).toMatch(/Body OperationRequest/)
  const variants = submit?.all('details') ?? []
  expect(variants.some((variant) => variant.textContent.includes('verb "reboot"'))).toBe(true)
  const [set] = variants.filter((variant) => variant.textContent.includes('verb "set"'))
  await set?.fire('toggle')
  expect(set?.textContent).toMatch(/values \*/)
  expect(submit?.all('pre')[0]?.textContent).toMatch(
    /^curl -X POST -H "Authorization: Bearer \$KEY" 'http:\S+\/operations' -H 'Content-Type: application\/json' -d '\{"verb":/,
  )
  expect(
    part(page, 'routes')
      .all('p')
      .map((p) => p.textContent)
      .join(''),
  ).not.toContain('`')
  // A route that changes something is not sent by a click.
  expect(submit?.all('button')).toEqual([])
})

it('the page sends what only reads, and filters the routes', async () => {
  const page = await open(`#key=${server.firstKey}`)
  await until(() => part(page, 'routes').all('section').length > 5)
  const list = routesOf(page).find((route) => route.dataset.text?.startsWith('get /api/v1/devices '))
  const limit = list?.all('label').find((label) => label.textContent.startsWith('limit'))
  for (const input of limit?.all('input') ?? []) input.value = '7'
  await list?.all('button')[0]?.fire('click')
  expect(list?.all('pre').at(-1)?.textContent).toBe('200 /api/v1/devices?limit=7\n{\n "items": []\n}')
  await part(page, 'filter').fire('input', { target: { value: 'API-KEYS' } })
  const shown = routesOf(page).filter((route) => !route.hidden)
  expect(shown.map((route) => route.dataset.text?.split(' ').slice(0, 2).join(' '))).toEqual([
    'get /api/v1/api-keys',
    'post /api/v1/api-keys',
    'delete /api/v1/api-keys/{id}',
  ])
})
