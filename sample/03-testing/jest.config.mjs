// Jest for an application in TypeScript and ES modules; `npm run sample -- 03-testing` runs it.
export default {
  testEnvironment: 'node',
  // A build machine may have more to do than it can.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/setup.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Only here, where the package is not installed but lies next to the sample.
    '^nestjs-rq$': '<rootDir>/../../lib/index.ts',
    '^nestjs-rq/testing$': '<rootDir>/../../lib/testing/index.ts',
    '^nestjs-rq/testing/jest$': '<rootDir>/../../lib/testing/jest.ts',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
};
