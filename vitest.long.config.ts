import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** What takes too long for every run: `npm run test:long`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/long/**/*.test.ts'],
    exclude: ['node_modules/**'],
    testTimeout: 1_200_000,
    hookTimeout: 200_000,
    fileParallelism: false,
  },
})
