package cli

import (
	"bytes"
	"context"
	"io"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// installedStyle is how the ss that is installed writes a timer, or the current
// one where there is none.
func installedStyle() inspect.Style {
	path, err := exec.LookPath("ss")
	if err != nil {
		return inspect.SS
	}
	major, minor, ok := versionInFile(path)
	if !ok {
		major, minor, ok = versionItSays(path)
	}
	if ok && (major < 6 || major == 6 && minor <= 10) {
		return inspect.OldSS
	}
	return inspect.SS
}

// versionInFile finds the version in the program itself, which takes a
// hundredth of the time of running it: the one text between zero bytes that is
// a version, in a file that also has the text that it is printed with.
func versionInFile(path string) (major, minor int, ok bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, false
	}
	defer file.Close()
	var found [2]int
	isIPRoute := false
	buffer := make([]byte, 32<<10)
	for kept := 0; ; {
		n, err := io.ReadFull(file, buffer[kept:])
		chunk := buffer[:kept+n]
		isIPRoute = isIPRoute || bytes.Contains(chunk, []byte("ss utility, iproute2-%s"))
		for v := range versionsIn(chunk) {
			if found != [2]int{} && v != found {
				return 0, 0, false // which of them?
			}
			found = v
		}
		if err != nil {
			return found[0], found[1], isIPRoute && found != [2]int{}
		}
		kept = copy(buffer, chunk[len(chunk)-2*longestText:]) // what may be cut in two
	}
}

// longestText bounds how far around a dot a version may reach.
const longestText = 32

// versionsIn looks at the dots, of which there are few.
func versionsIn(b []byte) iter.Seq[[2]int] {
	return func(yield func([2]int) bool) {
		for at := 0; ; at++ {
			dot := bytes.IndexByte(b[at:], '.')
			if dot < 0 {
				return
			}
			at += dot
			if v, ok := parseVersion(textAround(b, at)); ok && !yield(v) {
				return
			}
		}
	}
}

// textAround returns what lies between zero bytes, as far as a version is long.
func textAround(b []byte, at int) []byte {
	start, end := max(0, at-longestText), min(len(b), at+longestText)
	if i := bytes.LastIndexByte(b[start:at], 0); i >= 0 {
		start += i + 1
	}
	if i := bytes.IndexByte(b[at:end], 0); i >= 0 {
		end = at + i
	}
	return b[start:end]
}

// parseVersion reads "6.1.0" or "v6.12.0-rc1".
func parseVersion(b []byte) (v [2]int, ok bool) {
	if len(b) < len("6.1.0") || len(b) >= longestText {
		return v, false
	}
	b = bytes.TrimPrefix(b, []byte("v"))
	for i := range v {
		digits, rest, dot := bytes.Cut(b, []byte("."))
		n, err := strconv.Atoi(string(digits))
		if err != nil || !dot || n < 1-i || n > 99 {
			return v, false
		}
		v[i], b = n, rest
	}
	patch, _, _ := bytes.Cut(b, []byte("-"))
	_, err := strconv.Atoi(string(patch))
	return v, err == nil
}

// versionItSays runs ss -V.
func versionItSays(path string) (major, minor int, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-V").Output()
	if err != nil {
		return 0, 0, false
	}
	_, version, _ := bytes.Cut(bytes.TrimSpace(out), []byte("iproute2-"))
	v, ok := parseVersion(version)
	return v[0], v[1], ok
}
