import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that run longest, by the end of their path, longest first: begun last, one of them would run alone at the end. */
const LONG = [
  'lists',
  'chaos',
  'migration-links',
  'migration',
  'migration-crash',
  'model/planner',
  'store-commit',
  'serve',
  'planner-rollback',
  'bridge-process',
  'demo',
  'api-keys-cli',
  'bridge-agents',
  'driver-bridge',
  'telemetry',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
    const long = files.filter((file) => place(file) >= 0).sort((a, b) => place(a) - place(b))
    return [...long, ...(await super.sort(files.filter((file) => place(file) < 0)))]
  }
}

/** Settings of all suites. Four processes share two cores, because many suites wait for timers and leave theirs idle. */
export const COMMON = {
  pool: 'forks',
  maxWorkers: 4,
  // A machine that others use as well may be several times slower.
  testTimeout: 240_000,
  hookTimeout: 240_000,
  teardownTimeout: 10_000,
  allowOnly: false,
  passWithNoTests: false,
} as const
export const GLOBAL_SETUP = 'test/support/global-setup.ts'

// A process takes unit tests one file after the other: they open no socket that stays, and loading the sources anew for
// each file costs more than they do. Any other file has a process of its own, so that a leaked socket or timer of one
// suite cannot reach another.
export default defineConfig({
  test: {
    ...COMMON,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['contract', 'fuzz', 'integration', 'model'].map((folder) => `test/${folder}/**/*.test.ts`),
          globalSetup: [GLOBAL_SETUP],
        },
      },
    ],
  },
})
