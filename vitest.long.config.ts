import { defineConfig } from 'vitest/config'
import { COMMON, GLOBAL_SETUP } from './vitest.config.ts'

/** Suites that take too long for every run: `npm run test:long`. */
export default defineConfig({
  test: {
    ...COMMON,
    include: ['test/long/**/*.test.ts'],
    globalSetup: [GLOBAL_SETUP],
    testTimeout: 1_200_000,
    hookTimeout: 200_000,
    fileParallelism: false,
  },
})
