import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { MEMBER_STATES } from '../../../src/domain/index.ts'
import { PLAN_ACTIONS, SHOWN_WAITING } from '../../../src/planner/index.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const PAGE = readFileSync(join(ROOT, 'docs/migration.md'), 'utf8')

/** First cells of the table whose head begins with a text. */
function names(head: string): string[] {
  const [, table = ''] = PAGE.split(`| ${head} |`)
  const lines = table.split('\n').slice(2)
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines
    .slice(0, end)
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
}

function sources(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8'))
    .join('\n')
}

it('names the states, the actions and what is waited for, each once', () => {
  expect(names('state').sort()).toEqual([...MEMBER_STATES].sort())
  expect(names('action').sort()).toEqual([...PLAN_ACTIONS].sort())
  expect(names('waiting').sort()).toEqual([...SHOWN_WAITING].sort())
})

it('explains every reason that the planner gives, and none that it does not', () => {
  const planner = sources('src/planner')
  const given = [
    ...planner.matchAll(/StepFailed\(\s*(?:[^'()]*\? )?'(\w+)'(?: : '(\w+)')?/g),
    ...planner.matchAll(/\bcode: '(\w+)'/g),
    ...planner.matchAll(/error\?\.code \?\? '(no\w+)'/g),
    ...planner.matchAll(/\bas\('([A-Z_]+)'/g),
  ].flatMap(([, one, two]) => [one, two].filter((code) => code !== undefined))
  const told = names('code')
  const expected = new Set(given.filter((code) => !code.startsWith('READY_') && code !== 'failed'))
  expect([...expected].filter((code) => !told.includes(code))).toEqual([])
  const everywhere = planner + sources('src/operations')
  expect(told.filter((code) => !everywhere.includes(`'${code}'`))).toEqual([])
})
