// Package testkit is what tests of all packages share: real connections, and their
// options read with plain system calls, independently of the code under test; child
// processes that lack a privilege; benchmarks of two ways side by side, so that other load
// on the machine affects both; and what a test does when the machine lacks something that
// it needs. Such a test skips with the reason, but fails in strict mode, in which nothing
// may be missing. A test that takes long also skips, unless long tests are requested.
package testkit
