import AdminWire
import Foundation
import Listeners
import PKI

/// Documents from a file, a directory or standard input.
enum DocumentSource {
    /// All documents, in the order of file names and within a file in its own, with the files that they name read in; throws
    /// for the first fault, naming file, line and field, for a document that another of the same kind and name would
    /// replace, and for two meshes of one trust domain, the second of which no server would take.
    static func documents(at path: String) throws(CommandFailure) -> [PolicyDocument] {
        let documents = try read(path)
        var seen: Set<String> = []
        for document in documents where !seen.insert(document.label).inserted {
            throw .failed(
                "there are several documents of \(document.label), and the last would replace the others: keep one")
        }
        try checkTrustDomains(documents)
        return documents
    }

    private static func checkTrustDomains(_ documents: [PolicyDocument]) throws(CommandFailure) {
        var meshes: [TrustDomain: MeshName] = [:]
        for case .mesh(let mesh) in documents {
            guard let other = meshes.updateValue(mesh.name, forKey: mesh.trustDomain) else { continue }
            throw .failed(
                "Mesh '\(other)' and Mesh '\(mesh.name)' have the same trust domain '\(mesh.trustDomain)': give each its own")
        }
    }

    private static func read(_ path: String) throws(CommandFailure) -> [PolicyDocument] {
        if path == "-" {
            let bytes = standardInput()
            guard bytes.count <= DocumentText.maximumBytes else { throw tooLarge("standard input") }
            return try parse(bytes, name: "standard input", directory: "")
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw .usage("there is no file \(path): name an existing file or directory with -f")
        }
        guard isDirectory.boolValue else { return try parse(contents(path), name: path, directory: directory(of: path)) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().filter { name in
            [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        }
        guard !names.isEmpty else { throw .usage("\(path) has no .yaml, .yml or .json file: name another directory with -f") }
        var documents: [PolicyDocument] = []
        for name in names {
            documents += try parse(contents("\(path)/\(name)"), name: "\(path)/\(name)", directory: path)
        }
        return documents
    }

    /// Certificates and keys that a document names by `file` are relative to `directory`, or absolute.
    private static func parse(_ bytes: [UInt8], name: String, directory: String) throws(CommandFailure) -> [PolicyDocument] {
        do {
            return try DocumentFile.documents(
                in: bytes, format: DocumentFile.format(of: bytes, fileName: name),
                files: DataFiles(directory: directory, read: data(at:_:)))
        } catch {
            throw .failed("\(name): \(error)")
        }
    }

    private static func directory(of path: String) -> String { (path as NSString).deletingLastPathComponent }

    private static func data(at path: String, _ limit: Int) throws(DataFileFault) -> [UInt8] {
        do {
            if let bytes = try DurableFile.read(path, limit: limit) { return bytes }
        } catch {
            if case .file(_, let detail) = error { throw DataFileFault(description: detail) }
            throw DataFileFault(description: "\(error)")
        }
        throw DataFileFault(description: "there is no such file")
    }

    private struct DataFileFault: Error, CustomStringConvertible {
        let description: String
    }

    private static func contents(_ path: String) throws(CommandFailure) -> [UInt8] {
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
        guard size <= DocumentText.maximumBytes else { throw tooLarge(path) }
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

    private static func tooLarge(_ name: String) -> CommandFailure { .usage("\(name) has more than 1 MiB: split it") }

    /// One byte more than is accepted, so that the reader sees that it is too much and says so.
    private static func standardInput() -> [UInt8] {
        [UInt8]((try? FileHandle.standardInput.read(upToCount: DocumentText.maximumBytes + 1)) ?? Data())
    }
}
