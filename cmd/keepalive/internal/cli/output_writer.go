package cli

import "io"

// A firstError remembers the first error of a writer, and writes no more after it.
type firstError struct {
	w   io.Writer
	err error
}

// keepError writes to w.
func keepError(w io.Writer) *firstError { return &firstError{w: w} }

func (f *firstError) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(b)
	f.err = err
	return n, err
}
