package output

import "io"

// A firstError remembers the first error of a writer, and writes no more after it.
type firstError struct {
	w   io.Writer
	Err error
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *firstError { return &firstError{w: w} }

func (f *firstError) Write(b []byte) (int, error) {
	if f.Err != nil {
		return 0, f.Err
	}
	n, err := f.w.Write(b)
	f.Err = err
	return n, err
}
