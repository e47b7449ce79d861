import AdminWire
import Foundation
import Listeners

/// Documents from a file, a directory or standard input.
enum DocumentSource {
    /// All Mesh documents, in the order of file names; throws for the first fault, naming file, line and field.
    static func meshes(at path: String) throws(CommandFailure) -> [MeshDocument] {
        if path == "-" { return try parse(standardInput(), name: "standard input") }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw .usage("there is no file \(path): name an existing file or directory with -f")
        }
        guard isDirectory.boolValue else { return try parse(contents(path), name: path) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().filter { name in
            [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        }
        guard !names.isEmpty else { throw .usage("\(path) has no .yaml, .yml or .json file: name another directory with -f") }
        var documents: [MeshDocument] = []
        for name in names { documents += try parse(contents("\(path)/\(name)"), name: "\(path)/\(name)") }
        return documents
    }

    private static func parse(_ bytes: [UInt8], name: String) throws(CommandFailure) -> [MeshDocument] {
        do {
            return try DocumentFile.meshes(in: bytes, format: DocumentFile.format(of: bytes, fileName: name))
        } catch {
            throw .failed("\(name): \(error)")
        }
    }

    private static func contents(_ path: String) throws(CommandFailure) -> [UInt8] {
        do {
            guard let bytes = try DurableFile.read(path, limit: DocumentText.maximumBytes) else {
                throw CommandFailure.usage("there is no file \(path): name an existing one with -f")
            }
            return bytes
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .usage("\(error)")
        }
    }

    /// One byte more than is accepted, so that the reader sees that it is too much and says so.
    private static func standardInput() -> [UInt8] {
        [UInt8]((try? FileHandle.standardInput.read(upToCount: DocumentText.maximumBytes + 1)) ?? Data())
    }
}
