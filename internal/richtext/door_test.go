package richtext_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go/ast"
)

// TestOnlyRichtextAndStoreMakeContent reads the module's programs: content that
// was not sanitised could only come from elsewhere.
func TestOnlyRichtextAndStoreMakeContent(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	var makers []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "SanitisedContent" {
				folder, _ := filepath.Rel(root, filepath.Dir(path))
				makers = append(makers, filepath.ToSlash(folder))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(makers)
	if got := slices.Compact(makers); !slices.Equal(got, []string{".", "internal/richtext", "internal/store"}) {
		t.Errorf("SanitisedContent is used in %q; only internal/richtext and internal/store may make content", got)
	}
}
