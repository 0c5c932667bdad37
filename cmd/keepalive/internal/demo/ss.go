package demo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

var ssCommand = []string{"ss", "-Htno"}

// addSS puts the line of the real ss under each socket. It returns the command,
// or why there are no lines.
func addSS(ctx context.Context, sockets []socket) string {
	path, err := exec.LookPath(ssCommand[0])
	if err != nil {
		return "ss is not installed (Debian: iproute2)"
	}
	out, err := exec.CommandContext(ctx, path, ssCommand[1:]...).Output()
	if err != nil {
		return fmt.Sprintf("%s failed: %v", strings.Join(ssCommand, " "), err)
	}
	lines := map[string]string{} // by local and peer address
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		if f := strings.Fields(scan.Text()); len(f) >= 5 {
			lines[f[3]+" "+f[4]] = strings.Join(f, " ")
		}
	}
	for i := range sockets {
		s := &sockets[i]
		s.SS = lines[s.Local+" "+s.Peer]
	}
	return strings.Join(ssCommand, " ")
}
