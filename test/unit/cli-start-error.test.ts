import { expect, it } from 'vitest'
import { inStartWords } from '../../src/cli/parts/start-error.ts'
import { readConfig } from '../../src/config/index.ts'

const config = readConfig({ dataDir: '/srv/isthmus', apiHost: '192.0.2.7' }, {})
const words = (fields: object) => (inStartWords(Object.assign(new Error('raw'), fields), config) as Error).message
const listen = (code: string, address: string, port: number) => words({ syscall: 'listen', code, address, port })

it('says which option mends a listener that cannot be opened', () => {
  expect(listen('EADDRINUSE', '0.0.0.0', 8183)).toBe(
    'port 8183 is in use by another program; give another one with --usp-port',
  )
  expect(listen('EACCES', '0.0.0.0', 3000)).toMatch(/^port 3000 needs more rights .*--api-port$/)
  expect(listen('EADDRNOTAVAIL', '192.0.2.1', 7547)).toMatch(/no address 192\.0\.2\.1; .* with --host,/)
  expect(listen('EADDRNOTAVAIL', '192.0.2.7', 3000)).toMatch(/no address 192\.0\.2\.7; .* with --api-host,/)
  expect(words({ syscall: 'getaddrinfo', code: 'ENOTFOUND', hostname: 'no.example' })).toMatch(/no\.example .* --host$/)
})

it('says why the data folder cannot be used', () => {
  const mkdir = (code: string) => words({ syscall: 'mkdir', code, path: '/srv/isthmus/database' })
  expect(mkdir('EACCES')).toBe(
    'data folder /srv/isthmus cannot be used: this process may not write there (EACCES, /srv/isthmus/database); mend that, or give another --data-dir',
  )
  expect(mkdir('ENOSPC')).toContain('its disk is full')
})

it('leaves all other errors as they are', () => {
  expect(words({ syscall: 'open', code: 'EACCES', path: '/etc/other' })).toBe('raw')
  expect(words({})).toBe('raw')
  expect(inStartWords('text', config)).toBe('text')
})
