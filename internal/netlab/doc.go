// Package netlab builds temporary networks for tests: network namespaces that
// are held only by file descriptors of this process, so that they end with it,
// however it ends.
//
// It needs root, or [Main] as TestMain on a kernel that lets every user create user
// namespaces. Otherwise the test is skipped with the reason.
package netlab
