export * from './mesh/mesh-membership';
export * from './mesh/mesh-namespace';
export * from './mesh/peer-authentication';
export * from './mesh/peer-scope';
