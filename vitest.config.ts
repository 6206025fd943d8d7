import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that run longest, by the end of their path, longest first: begun last, one of them would run alone at the end. */
const LONG = [
  'lists',
  'chaos',
  'migration-links',
  'migration-downtime',
  'migration',
  'migration-crash',
  'model/planner',
  'store-commit',
  'serve',
  'planner-rollback',
  'bridge-process',
  'demo',
  'normalization',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
    const long = files.filter((file) => place(file) >= 0).sort((a, b) => place(a) - place(b))
    return [...long, ...(await super.sort(files.filter((file) => place(file) < 0)))]
  }
}

// Three processes share two cores, because suites that wait for timers leave theirs idle. Each file has a process of
// its own, so that a leaked socket or timer of one suite cannot reach another.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**', 'node_modules/**', 'dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    allowOnly: false,
    passWithNoTests: false,
  },
})
