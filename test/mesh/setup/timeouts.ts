// A world takes seconds to apply, and what must pass is tried for ten.
jest.setTimeout(90_000);
