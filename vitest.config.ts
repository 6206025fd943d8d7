import { defineConfig } from 'vitest/config'

// Three processes share two cores, because suites that wait for timers leave theirs idle. Each file has a process of
// its own, so that a leaked socket or timer of one suite cannot reach another.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**', 'node_modules/**', 'dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    allowOnly: false,
    passWithNoTests: false,
  },
})
