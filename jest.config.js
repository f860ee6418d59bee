export default { projects: ['<rootDir>/packages/*/jest.config.js', '<rootDir>/apps/*/jest.config.js'] };
