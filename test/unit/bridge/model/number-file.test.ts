import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { NumberFile } from '../../../../src/bridge/model/number-file.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-numbers-'))
  path = join(dir, 'router', 'numbers')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const rows = (table: string, ...keys: string[]) => keys.map((key) => ({ table, key }))

it('numbers the rows of each table from 1, and keeps the numbers when rows change places', async () => {
  const numbers = await NumberFile.open(path)
  expect(await numbers.numbersOf(rows('A.', 'x', 'y'))).toEqual([1, 2])
  expect(await numbers.numbersOf([...rows('A.', 'y', 'z', 'x'), ...rows('B.', 'x')])).toEqual([2, 3, 1, 1])
  await numbers.close()
})

it('a number is on the disk before it is given, and is never given to another row', async () => {
  const first = await NumberFile.open(path)
  const [given] = await first.numbersOf(rows('A.', 'x'))
  expect(await readFile(path, 'utf8')).toBe(`${JSON.stringify({ table: 'A.', key: 'x', number: given })}\n`)
  // The process ends here.
  const second = await NumberFile.open(path)
  expect(await second.numbersOf(rows('A.', 'new', 'x'))).toEqual([2, 1])
  await Promise.all([first.close(), second.close()])
})

it('a line that was cut off by the end of the process is no number', async () => {
  const first = await NumberFile.open(path)
  await first.numbersOf(rows('A.', 'x'))
  await first.close()
  await appendFile(path, '{"table":"A.","key":"y","nu')
  const second = await NumberFile.open(path)
  expect(await second.numbersOf(rows('A.', 'z', 'y'))).toEqual([2, 3])
  await second.close()
  const third = await NumberFile.open(path)
  expect(await third.numbersOf(rows('A.', 'y', 'z', 'x'))).toEqual([3, 2, 1])
  await third.close()
})

it('requests at the same time agree on the numbers', async () => {
  const numbers = await NumberFile.open(path)
  const all = await Promise.all(Array.from({ length: 20 }, () => numbers.numbersOf(rows('A.', 'x', 'y'))))
  expect(new Set(all.map(String))).toEqual(new Set(['1,2']))
  await numbers.close()
})

it('a row that is changed in its key keeps its number', async () => {
  const numbers = await NumberFile.open(path)
  await numbers.numbersOf(rows('A.', 'x', 'y'))
  await numbers.rename({ table: 'A.', key: 'x' }, 'z')
  expect(await numbers.numbersOf(rows('A.', 'x', 'z'))).toEqual([3, 1])
  await numbers.close()
  const again = await NumberFile.open(path)
  expect(await again.numbersOf(rows('A.', 'z', 'x', 'y'))).toEqual([1, 3, 2])
  await again.close()
})

it('a row that was changed in its key leaves its number to no other, also after a restart', async () => {
  const numbers = await NumberFile.open(path)
  await numbers.numbersOf(rows('A.', 'x'))
  await numbers.rename({ table: 'A.', key: 'x' }, 'z')
  await numbers.close()
  const again = await NumberFile.open(path)
  expect(await again.numbersOf(rows('A.', 'x', 'z'))).toEqual([2, 1])
  await again.close()
})

it('a file to which keys come without end stays short while the process runs, and loses no number', async () => {
  const numbers = await NumberFile.open(path)
  const [kept] = await numbers.numbersOf(rows('B.', 'kept'))
  let last: readonly number[] = []
  for (let i = 0; i < 40; i++)
    last = await numbers.numbersOf(rows('A.', ...Array.from({ length: 1000 }, (_, k) => `station-${i}-${k}`)))
  expect((await readFile(path)).length).toBeLessThan(700_000)
  expect(last.at(-1)).toBe(40_000)
  // The process ends here.
  const again = await NumberFile.open(path)
  expect(await again.numbersOf([...rows('B.', 'kept'), ...rows('A.', 'station-39-999', 'new')])).toEqual([
    kept,
    40_000,
    40_001,
  ])
  await Promise.all([numbers.close(), again.close()])
})

it('a long file is written anew, and tables forget rows not seen for longest', async () => {
  const many = Array.from({ length: 9000 }, (_, i) => `station-${i}`)
  const first = await NumberFile.open(path)
  await first.numbersOf(rows('A.', ...many))
  await first.numbersOf(rows('A.', 'another', ...many.slice(8000)))
  await first.close()
  const long = (await readFile(path)).length
  const second = await NumberFile.open(path)
  expect((await readFile(path)).length).toBeLessThan(long / 2)
  expect(await second.numbersOf(rows('A.', 'station-8999', 'station-0', 'new'))).toEqual([9000, 9002, 9003])
  await second.close()
  const third = await NumberFile.open(path)
  expect(await third.numbersOf(rows('A.', 'new', 'station-8999', 'newer'))).toEqual([9003, 9000, 9004])
  await third.close()
})

it('a row that is forgotten takes the tables below it along', async () => {
  const numbers = await NumberFile.open(path)
  await numbers.numbersOf([...rows('A.', 'old'), ...rows('A.1.B.', 'x')])
  await numbers.numbersOf(rows('A.', ...Array.from({ length: 3000 }, (_, i) => `n${i}`)))
  expect(await numbers.numbersOf(rows('A.', 'old'))).toEqual([3002])
  await numbers.close()
  const again = await NumberFile.open(path)
  expect(await again.numbersOf(rows('A.', 'n2999', 'newer'))).toEqual([3001, 3003])
  await again.close()
})

it('a number that cannot be stored is not given', async () => {
  const numbers = await NumberFile.open(path)
  await numbers.close()
  await expect(numbers.numbersOf(rows('A.', 'x'))).rejects.toThrow()
  await expect(numbers.numbersOf(rows('A.', 'x'))).rejects.toThrow()
})

it('a file that is damaged is refused by name', async () => {
  const first = await NumberFile.open(path)
  await first.close()
  await appendFile(path, 'nonsense\n')
  await expect(NumberFile.open(path)).rejects.toThrow(/numbers cannot be read/)
})
