import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

it('begins a new line after an entry that a kill has cut off', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'isthmus-audit-'))
  try {
    const path = join(dir, 'audit.jsonl')
    const entry = { router: 'r', level: 2, commandKey: 'k', by: { way: 'mqtt' }, args: [] } as const
    await appendFile(path, '{"at":"1970-01-01T00')
    await new AuditFile(path, { now: () => 0 }).begun({ ...entry, command: 'a' })
    await new AuditFile(path, { now: () => 0 }).begun({ ...entry, command: 'b' })
    const [torn, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
    expect(torn).toBe('{"at":"1970-01-01T00')
    expect(lines.map((line) => JSON.parse(line).command)).toEqual(['a', 'b'])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

describe('a full audit file', () => {
  const by = { way: 'mqtt' }
  const entry = { router: 'r', level: 2, commandKey: 'k', by, args: [] } as const
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'isthmus-audit-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  /** Bytes of two entries, and not of three. */
  const TWO = 350
  const open = (olderFiles = 2) =>
    new AuditFile(join(dir, 'audit.jsonl'), { now: () => 0 }, { maxBytes: TWO, olderFiles })
  const begin = async (audit: AuditFile, ...commands: string[]) => {
    for (const command of commands) await audit.begun({ ...entry, command })
  }
  /** The commands of each file, by the end of its name. */
  const kept = async () => {
    const files = (await readdir(dir)).sort()
    return Object.fromEntries(
      await Promise.all(
        files.map(async (file) => {
          const lines = (await readFile(join(dir, file), 'utf8')).trim().split('\n')
          return [file.replace('audit.jsonl', ''), lines.map((line) => JSON.parse(line).command).join('')]
        }),
      ),
    )
  }

  it('makes place for a new one, and the oldest one is dropped', async () => {
    const audit = open()
    await begin(audit, 'a', 'b')
    expect(await kept()).toEqual({ '': 'ab' })
    await begin(audit, 'c')
    expect(await kept()).toEqual({ '': 'c', '.1': 'ab' })
    await begin(audit, 'd', 'e', 'f', 'g')
    expect(await kept()).toEqual({ '': 'g', '.1': 'ef', '.2': 'cd' })
  })

  it('is full also for the process that comes after', async () => {
    await begin(open(), 'a', 'b')
    await begin(open(), 'c')
    expect(await kept()).toEqual({ '': 'c', '.1': 'ab' })
  })

  it('takes an entry that is longer than the bound', async () => {
    const long = 'x'.repeat(TWO)
    await begin(open(), long, 'b')
    expect(await kept()).toEqual({ '': 'b', '.1': long })
  })

  it.each([
    ['', '.1'],
    ['.1', '.2'],
  ])('loses no older one when the process was killed before %j was moved', async (from, to) => {
    await begin(open(3), 'a', 'b', 'c', 'd', 'e', 'f')
    expect(await kept()).toEqual({ '': 'ef', '.1': 'cd', '.2': 'ab' })
    // A process that moves the oldest one first has come so far.
    await rename(join(dir, 'audit.jsonl.2'), join(dir, 'audit.jsonl.3'))
    if (to === '.1') await rename(join(dir, 'audit.jsonl.1'), join(dir, 'audit.jsonl.2'))
    expect(Object.keys(await kept())).not.toContain(to)
    expect(Object.keys(await kept())).toContain(from)
    await begin(open(3), 'g')
    expect(await kept()).toEqual({ '': 'g', '.1': 'ef', '.2': 'cd', '.3': 'ab' })
  })

  it('refuses the command when it cannot make place', async () => {
    await begin(open(1), 'a', 'b')
    await mkdir(join(dir, 'audit.jsonl.1'))
    await expect(begin(open(1), 'c')).rejects.toThrow()
  })
})
