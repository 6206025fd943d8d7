import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import {
  BRIDGE_OPTIONS,
  OPTIONS,
  type OptionRow,
  readBridgeOptions,
  readConfig,
  variableOf,
} from '../../src/config/index.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'

const DEPLOY = join(import.meta.dirname, '../../docs/deploy')
const text = (name: string) => readFileSync(join(DEPLOY, name), 'utf8')

let world: ServerWithStore
let types: Map<string, string>
beforeAll(async () => {
  // No broker is at this address: its metrics are there all the same.
  world = await startServerWithStore(inject('mongodbUri'), { telemetryUrl: 'mqtt://127.0.0.1:9' })
  await fetch(`${world.server.apiUrl}/api/v1/devices/none`, {
    headers: { authorization: `Bearer ${world.server.firstKey}` },
  })
  types = new Map(
    [...(await scrape()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  )
})
afterAll(() => world.stop())

async function scrape(): Promise<string> {
  const answer = await fetch(`${world.server.apiUrl}/metrics`, {
    headers: { authorization: `Bearer ${world.server.firstKey}` },
  })
  expect(answer.status).toBe(200)
  return answer.text()
}

/** The metrics that a PromQL expression reads: names with an underscore that no function and no label has. */
function metricsOf(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}|\b(by|without) \([^)]*\)/g, '')
  return [...bare.matchAll(/\b(?:isthmus|process|nodejs)_\w+/g)].map(([name]) => name)
}

/** The variables of an option table. */
function variablesOf(rows: readonly OptionRow[]): string[] {
  return rows.flatMap((row) => [variableOf(row), ...(row.secret === true ? [`${variableOf(row)}_FILE`] : [])])
}

/** Every metric of an expression is one that the server shows; brackets are paired. */
function checkExpression(expression: string): void {
  const found = metricsOf(expression)
  expect(found.length + Number(/\bup\b/.test(expression)), expression).toBeGreaterThan(0)
  for (const name of found) {
    const family = name.replace(/_(bucket|count|sum)$/, '')
    expect(types.has(name) || types.get(family) === 'histogram', `${name} in ${expression}`).toBe(true)
  }
  for (const [open, close] of ['()', '{}', '[]'])
    expect(expression.split(open ?? '').length, expression).toBe(expression.split(close ?? '').length)
}

describe('the metrics', () => {
  it('have names by the conventions of Prometheus', () => {
    for (const [name, type] of types) {
      expect(name).toMatch(/^(isthmus|process|nodejs)_[a-z0-9_]+$/)
      if (!name.startsWith('isthmus_')) continue
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/)
      // No name is another's with an ending that OpenMetrics adds.
      expect(types.has(`${name}_total`), name).toBe(false)
    }
  })

  it('have what standard dashboards look for, the version, and what the fleet is', async () => {
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(types.has(name), name).toBe(true)
    const shown = await scrape()
    expect(shown).toMatch(/^isthmus_build_info\{version="\d+\.\d+\.\d+",node="[\d.]+"\} 1$/m)
    expect(shown).toMatch(/^isthmus_operations_open\{state="queued"\} 0$/m)
    expect(shown).toMatch(/^isthmus_census_timestamp_seconds [1-9]/m)
  })

  it('keep the route of a request that failed', async () => {
    expect(await scrape()).toMatch(
      /^isthmus_http_request_duration_seconds_count\{route="\/devices\/\{id\}",method="get",status="400"\} 1$/m,
    )
  })
})

describe('docs/deploy', () => {
  it('has alert rules over metrics that there are, each with what to do', () => {
    const { groups } = parse(text('alerts.yml')) as {
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string>; labels: object }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.length).toBeGreaterThan(8)
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { expr, annotations, labels } of rules) {
      checkExpression(expr)
      expect(Object.keys(annotations)).toEqual(['summary', 'action'])
      expect(labels).toMatchObject({ severity: expect.stringMatching(/^(info|warning|critical)$/) })
    }
  })

  it('has a dashboard over metrics that there are, whose panels do not overlap', () => {
    const { panels } = JSON.parse(text('dashboard.json')) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[]
    }
    for (const { targets } of panels) for (const { expr } of targets) checkExpression(expr)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })

  it('shows every metric of Isthmus in the dashboard or in an alert, but for a few details', () => {
    const used = `${text('dashboard.json')}${text('alerts.yml')}`
    const unused = [...types.keys()].filter((name) => name.startsWith('isthmus_') && !used.includes(name))
    expect(unused.sort()).toEqual([
      'isthmus_cwmp_rpcs_total',
      'isthmus_operations_executed_total',
      'isthmus_operations_submitted_total',
      'isthmus_telemetry_bridges_online',
      'isthmus_telemetry_messages_total',
      'isthmus_telemetry_values_total',
      'isthmus_usp_onboardings_total',
    ])
  })

  it.each(['deploy/docker-compose.yml', '../docker-compose.yml'])('%s sets options that there are', (name) => {
    const compose = parse(readFileSync(join(DEPLOY, '..', name), 'utf8')) as {
      services: Record<
        string,
        { environment?: Record<string, string>; secrets?: string[]; networks?: string[]; volumes?: string[] }
      >
      secrets?: object
      volumes?: object
      networks?: object
    }
    for (const [service, rows] of [
      ['isthmus', OPTIONS],
      ['bridge', BRIDGE_OPTIONS],
    ] as const)
      for (const variable of Object.keys(compose.services[service]?.environment ?? {}))
        expect(variablesOf(rows)).toContain(variable)
    for (const service of Object.values(compose.services)) {
      for (const secret of service.secrets ?? []) expect(Object.keys(compose.secrets ?? {})).toContain(secret)
      for (const network of service.networks ?? []) expect(Object.keys(compose.networks ?? {})).toContain(network)
      for (const path of Object.values(service.environment ?? {}))
        if (String(path).startsWith('/run/secrets/')) expect(service.secrets).toContain(String(path).slice(13))
    }
  })

  it('has a systemd unit that stops the server as it wants to be stopped', () => {
    const unit = new Map(
      [...text('isthmus.service').matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    )
    expect(unit.get('ExecStart')).toBe('/usr/bin/node --max-semi-space-size=32 dist/src/cli/main.js serve')
    expect(unit.get('KillMode')).toBe('mixed')
    expect(Number(unit.get('TimeoutStopSec'))).toBeGreaterThan(28)
    const variables = Object.fromEntries(
      [...text('isthmus.service').matchAll(/\b(ISTHMUS_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
    )
    expect(readConfig({}, variables).dataDir).toBe('/var/lib/isthmus')
  })

  it('has a systemd unit and a manifest for a bridge, with options that there are', () => {
    const unit = text('isthmus-bridge.service')
    expect(unit).toContain('ExecStart=/usr/bin/node dist/src/cli/main.js bridge\n')
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(15)
    const inUnit = Object.fromEntries(
      [...unit.matchAll(/^(?!#).*\b(ISTHMUS_\w+)=(\S+)/gm)].map(([, name = '', value = '']) => [name, value]),
    )
    expect(readBridgeOptions({ server: 'https://a' }, inUnit).stateDir).toBe('/var/lib/isthmus-bridge')
    for (const [, name] of unit.matchAll(/\b(ISTHMUS_\w+)=/g)) expect(variablesOf(BRIDGE_OPTIONS)).toContain(name)
    const [, deployment] = parseAllDocuments(text('isthmus-bridge.k8s.yml')).map((one) => one.toJS() as Manifest)
    const { containers, volumes } = deployment?.spec.template?.spec ?? {}
    const [container] = containers ?? []
    for (const { name } of container?.env ?? []) expect(variablesOf(BRIDGE_OPTIONS)).toContain(name)
    expect(container?.securityContext.readOnlyRootFilesystem).toBe(true)
    expect(container?.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes?.map(({ name }) => name).sort())
  })

  it('has an image of a bridge that runs as no root and says whether it lives', () => {
    const stage = /^FROM runtime AS bridge\n([\s\S]*?)^FROM /m.exec(text('../../Dockerfile'))?.[1] ?? ''
    expect(stage).toMatch(/^USER node$/m)
    expect(stage).toMatch(/^VOLUME \/var\/lib\/isthmus-bridge$/m)
    expect(stage).toContain('"alive", "--api-port", "3010"')
    const [, variable = '', value = ''] = /^ENV (\w+)=(\S+)$/m.exec(stage) ?? []
    const options = readBridgeOptions({ server: 'https://a' }, { [variable]: value })
    expect(options).toMatchObject({ stateDir: '/var/lib/isthmus-bridge', healthPort: 3010, healthHost: '127.0.0.1' })
  })
})

interface Manifest {
  spec: {
    template?: {
      spec: {
        containers: {
          env: { name: string }[]
          securityContext: { readOnlyRootFilesystem: boolean }
          volumeMounts: { name: string }[]
        }[]
        volumes: { name: string }[]
      }
    }
  }
}
