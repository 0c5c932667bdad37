// Package netlab builds throw-away networks for tests: network namespaces that
// only file descriptors of this process hold, so that they are gone with it,
// however it ends.
//
// It takes root; or a TestMain that is [Main], where the kernel lets every user make
// user namespaces. A test that can have neither skips with the reason.
package netlab
