import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AuditFile } from '../../../../src/bridge/commands/audit-trail.ts'

it('keeps an entry for each command, in order, and rejects when it cannot', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-audit-'))
  try {
    const audit = new AuditFile(join(dir, 'audit.jsonl'), { now: () => 0 })
    const by = { endpointId: 'self::c', roles: ['Manager'] }
    const entry = { router: 'r', level: 2, commandKey: 'k', by, args: [] } as const
    await Promise.all([audit.begun({ ...entry, command: 'a' }), audit.begun({ ...entry, command: 'b' })])
    const lines = (await readFile(join(dir, 'audit.jsonl'), 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { at: '1970-01-01T00:00:00.000Z', ...entry, command: 'a' },
      { at: '1970-01-01T00:00:00.000Z', ...entry, command: 'b' },
    ])
    await expect(new AuditFile(dir, { now: () => 0 }).begun({ ...entry, command: 'c' })).rejects.toThrow()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
