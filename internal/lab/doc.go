// Package lab builds temporary networks for tests, and its own tests verify on the wire
// what the other packages promise. The networks consist of network namespaces that
// are held only by file descriptors of this process, so that they end with it,
// however it ends.
//
// It needs root, or [Main] as TestMain on a kernel that lets every user create user
// namespaces. Otherwise the test is skipped with the reason.
package lab
