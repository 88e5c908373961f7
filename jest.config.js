/** @type {import('jest').Config} */
const common = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/lib/', '<rootDir>/examples/.*/node_modules/'],
};

module.exports = {
  // Every core: by default jest leaves one idle, which is half of a small machine.
  maxWorkers: '100%',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/mesh/', '/node_modules/'],
    },
    {
      ...common,
      displayName: 'mesh',
      testMatch: ['<rootDir>/test/mesh/**/*.test.ts'],
      globalSetup: '<rootDir>/test/mesh/setup/start-labs.ts',
      globalTeardown: '<rootDir>/test/mesh/setup/end-labs.ts',
      setupFilesAfterEnv: ['<rootDir>/test/mesh/setup/each-file.ts'],
    },
    {
      ...common,
      displayName: 'mutation',
      testMatch: ['<rootDir>/test/mesh/mutation/*.mutation.ts'],
      globalSetup: '<rootDir>/test/mesh/setup/start-labs.ts',
      globalTeardown: '<rootDir>/test/mesh/setup/end-labs.ts',
      setupFilesAfterEnv: ['<rootDir>/test/mesh/setup/each-file.ts'],
    },
  ],
};
