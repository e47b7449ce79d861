import AdminWire
import Foundation
import Listeners
import PKI

/// Documents from a file, a directory or standard input.
enum DocumentSource {
    /// All documents, in the order of file names and within a file in its own; throws for the first fault, naming file, line
    /// and field, and for a document that another of the same kind and name would replace.
    static func documents(at path: String) throws(CommandFailure) -> [PolicyDocument] {
        let documents = try read(path)
        var seen: Set<String> = []
        for document in documents where !seen.insert("\(document.kind.rawValue) \(document.name)").inserted {
            throw .failed(
                "there are several documents of \(document.kind.rawValue) '\(document.name)', and the last would replace the others: keep one"
            )
        }
        return documents
    }

    private static func read(_ path: String) throws(CommandFailure) -> [PolicyDocument] {
        if path == "-" {
            let bytes = standardInput()
            guard bytes.count <= DocumentText.maximumBytes else { throw tooLarge("standard input") }
            return try parse(bytes, name: "standard input")
        }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw .usage("there is no file \(path): name an existing file or directory with -f")
        }
        guard isDirectory.boolValue else { return try parse(contents(path), name: path) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().filter { name in
            [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        }
        guard !names.isEmpty else { throw .usage("\(path) has no .yaml, .yml or .json file: name another directory with -f") }
        var documents: [PolicyDocument] = []
        for name in names { documents += try parse(contents("\(path)/\(name)"), name: "\(path)/\(name)") }
        return documents
    }

    private static func parse(_ bytes: [UInt8], name: String) throws(CommandFailure) -> [PolicyDocument] {
        do {
            return try DocumentFile.documents(in: bytes, format: DocumentFile.format(of: bytes, fileName: name))
        } catch {
            throw .failed("\(name): \(error)")
        }
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
