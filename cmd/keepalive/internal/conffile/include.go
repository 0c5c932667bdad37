package conffile

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Includes are looked for among the files that were given. Opening others would often
// read the wrong ones: a configuration in a repository names files of another machine.
// Directories beside a file are listed, to find out whether all of it was given.

// maxIncludes limits how deep files include each other.
const maxIncludes = 10

// includes has for each file that was included the files from which its reading started.
type includes map[string][]string

// has reports whether a file was read as a part of another one, which was not: of files
// that include each other in a circle all are documents, with the error.
func (in includes) has(name string) bool {
	return slices.ContainsFunc(in[name], func(root string) bool { return len(in[root]) == 0 })
}

// include returns the files that a pattern names. If none was given, it remarks that
// this part of the configuration was not looked at.
func (s *source) include(at Place, pattern string) []File {
	var found []File
	seen := map[string]bool{}
	for _, f := range s.others {
		if f.Name != s.Name && !seen[f.Name] && matches(pattern, f.Name) {
			seen[f.Name] = true
			s.used[f.Name] = append(s.used[f.Name], s.doc.File)
			found = append(found, f)
		}
	}
	all, listed := s.list(pattern)
	switch {
	case s.whole:
	case listed:
		for _, name := range all {
			if !slices.ContainsFunc(found, func(f File) bool { return sameFile(f.Name, name) }) {
				s.remark(at, Unread, "%s is included (%s) and was not looked at: give it with --file too", name, pattern)
			}
		}
	case len(found) == 0:
		s.remark(at, Unread, "%s is included and was not looked at: give it with --file too", pattern)
	}
	return found
}

// eachIncluded calls read for each file that a pattern names and that was given. The
// file with the include is depth files deep itself.
func (s *source) eachIncluded(at Place, pattern string, depth int, read func(*source) error) error {
	if depth >= maxIncludes {
		return wrong(at, "files that include each other at most %d deep", maxIncludes)
	}
	for _, f := range s.include(at, pattern) {
		in := *s
		in.File = f
		in.mark()
		if err := read(&in); err != nil {
			return err
		}
	}
	return nil
}

// list returns the files of this machine that a pattern with wildcards names, if its
// directory is beside the file, or below: then it belongs to it, and not to another machine.
func (s *source) list(pattern string) (names []string, ok bool) {
	if !s.Here || !strings.ContainsAny(pattern, "*?[") {
		return nil, false
	}
	own := filepath.Dir(s.Name)
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(own, pattern)
	}
	rel, err := filepath.Rel(own, filepath.Dir(pattern))
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil, false
	}
	if dir, err := os.Stat(filepath.Dir(pattern)); err != nil || !dir.IsDir() {
		return nil, false
	}
	if f, err := os.Open(filepath.Dir(pattern)); err != nil { // Glob ignores what it may not list
		return nil, false
	} else if f.Close() != nil {
		return nil, false
	}
	names, err = filepath.Glob(pattern)
	return names, err == nil
}

// sameFile reports whether two names are those of one file.
func sameFile(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// matches reports whether a pattern of an include names a file that was given: the whole
// path, or the end of it if one of the two is relative.
func matches(pattern, name string) bool {
	if ok, err := path.Match(pattern, name); err != nil || ok {
		return ok
	}
	if path.IsAbs(pattern) && path.IsAbs(name) {
		return false
	}
	p, n := strings.Split(path.Clean(pattern), "/"), strings.Split(path.Clean(name), "/")
	k := min(len(p), len(n))
	if k == 1 && strings.ContainsAny(p[len(p)-1], "*?[") {
		return false // "*.conf" says too little about a file without a directory
	}
	ok, err := path.Match(path.Join(p[len(p)-k:]...), path.Join(n[len(n)-k:]...))
	return ok && err == nil
}

// given reports whether a file that a pattern names was given.
func (s *source) given(pattern string) bool {
	for _, f := range s.others {
		if f.Name != s.Name && matches(pattern, f.Name) {
			return true
		}
	}
	return false
}
