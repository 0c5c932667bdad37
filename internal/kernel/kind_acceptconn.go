//go:build !linux && !darwin

package kernel

func listens(k Kernel, fd uintptr) (bool, error) {
	return holds(k, fd, solSocket, soAcceptConn, "SO_ACCEPTCONN")
}
