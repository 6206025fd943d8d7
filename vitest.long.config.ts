import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** What takes too long for every run: `npm run test:long`. */
export default mergeConfig(
  base,
  defineConfig({
    test: {
      include: ['test/long/**/*.test.ts'],
      exclude: ['node_modules/**'],
      testTimeout: 1_200_000,
      fileParallelism: false,
    },
  }),
)
