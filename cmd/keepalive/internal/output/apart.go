package output

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
)

// A File is a file that a flag names; "-" is standard output, and "" is no file.
type File struct{ Flag, Path string }

// Apart returns an error if two outputs of a command are the same file, even under different
// names: one would silently overwrite the other. It ignores its own errors, because opening
// the file reports them.
func Apart(cmd *cobra.Command, outputs ...File) error {
	var places []written
	for i, o := range outputs {
		w := o.written(cmd.OutOrStdout())
		places = append(places, w)
		for j, other := range outputs[:i] {
			if w.is(places[j]) {
				return exit.UsageError(fmt.Errorf("%s %s and %s %s are the same file: want two, for one would be written over the other", other.Flag, other.Path, o.Flag, o.Path))
			}
		}
		if !w.replaced {
			continue
		}
		for _, stream := range []struct {
			name string
			io.Writer
		}{{"standard output", cmd.OutOrStdout()}, {"standard error", cmd.ErrOrStderr()}} {
			if w.is(writtenTo(stream.Writer)) {
				return exit.UsageError(fmt.Errorf("%s %s is the file that %s goes to: want another, for one would be written over the other", o.Flag, o.Path, stream.name))
			}
		}
	}
	return nil
}

// A written identifies the file to which an output is finally written.
type written struct {
	info     fs.FileInfo // nil: nothing is there yet
	path     string      // of what is not there yet
	replaced bool        // rather than that it is written to where it stands, as /dev/stdout is
}

func (o File) written(stdout io.Writer) written {
	switch o.Path {
	case "":
		return written{}
	case "-":
		return writtenTo(stdout)
	}
	t, err := targetOf(o.Path)
	if err != nil {
		return written{}
	}
	w := written{info: t.before, replaced: !t.direct}
	if t.direct {
		w.info, _ = os.Stat(t.path) // through the descriptor of /dev/stdout
	} else if w.info == nil {
		folder, err := filepath.EvalSymlinks(filepath.Dir(t.path))
		if err == nil {
			folder, err = filepath.Abs(folder)
		}
		if err != nil {
			return written{}
		}
		w.path = filepath.Join(folder, filepath.Base(t.path))
	}
	return w
}

// writtenTo returns the file to which a stream of the program is written, if it is a file.
func writtenTo(stream io.Writer) (w written) {
	if first, ok := stream.(*Writer); ok {
		stream = first.w
	}
	if f, ok := stream.(*os.File); ok {
		w.info, _ = f.Stat()
	}
	return w
}

// is reports whether both are the same file. The null device may have several outputs.
func (w written) is(other written) bool {
	if w.info == nil || other.info == nil {
		return w.info == nil && other.info == nil && w.path != "" && w.path == other.path
	}
	null, err := os.Stat(os.DevNull)
	return os.SameFile(w.info, other.info) && (err != nil || !os.SameFile(w.info, null))
}
