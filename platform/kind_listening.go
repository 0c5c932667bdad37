//go:build !linux && !darwin

package platform

func listens(k Kernel, fd uintptr) (bool, error) {
	return holds(k, fd, bsdSolSocket, bsdSoAcceptConn, "SO_ACCEPTCONN")
}
